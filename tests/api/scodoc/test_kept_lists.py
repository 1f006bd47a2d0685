"""What the face keeps of lists of partitions: the last version of each course, in bounded bytes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from groupsvc.faces.scodoc import serializers


@pytest.fixture(autouse=True)
def kept() -> Iterator[Any]:
    serializers._translated.clear()
    yield serializers._translated
    serializers._translated.clear()


def document(name: str, groups: int = 1) -> bytes:
    group = {"id": 2, "partition_id": 1, "name": name, "position": 1, "timetable_id": None}
    flags = dict.fromkeys(("show_rank_on_report", "show_in_lists", "groups_editable"), True)
    partition = {"id": 1, "course_id": 9, "name": name, "position": 1, **flags}
    each = [{**group, "id": number} for number in range(groups)]
    return json.dumps([{**partition, "groups": each}]).encode()


def test_the_versions_of_a_course_take_one_place(kept: Any) -> None:
    for number in range(50):
        answer = serializers.answer_partitions(9, document(f"TD{number}"))
        assert json.loads(bytes(answer.body))["1"]["partition_name"] == f"TD{number}"
    assert len(kept) == 1
    serializers.answer_partitions(10, document("TD"))
    assert len(kept) == 2


def test_many_courses_take_bounded_memory(kept: Any) -> None:
    body = document("TD", 5_000)
    for number in range(20):
        serializers.answer_partitions(number, body)
    assert 0 < kept.currsize <= kept.maxsize
    assert len(kept) < 20
    # One that would fill it is answered all the same.
    assert len(serializers.answer_partitions(99, document("TD", 40_000)).body) > 1_000_000
