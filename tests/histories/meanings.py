"""What an answer says about single values, and what a request may have done to them.

The values are the group of a user in a partition, the lock of the course, the enrollment of a user.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.histories.registers import Action
from tests.histories.requests import Request
from tests.histories.stage import Stage

Key = tuple[Any, ...]
Act = tuple[Key, Action]
Read = Callable[[Stage, Request, Any], Iterator[Act]]
May = Callable[[Stage, Request], Iterator[Act]]
LOCK: Final[Key] = ("lock",)


def place(request: Request, user: int | None = None) -> Key:
    return ("place", request.partition, user or request.user)


def nothing(*_: Any) -> Iterator[Act]:
    return iter(())


def enters(_: Stage, request: Request, __: Any = None) -> Iterator[Act]:
    yield place(request), ("write", request.group)


def leaves(_: Stage, request: Request, __: Any = None) -> Iterator[Act]:
    yield place(request), ("write", None)


def clears(_: Stage, request: Request, __: Any = None) -> Iterator[Act]:
    yield place(request), ("clear", request.group)


def clears_all(stage: Stage, request: Request, _: Any = None) -> Iterator[Act]:
    """A group that is gone."""
    stage.groups.pop(request.group, None)
    for user in stage.users:
        yield place(request, user), ("clear", request.group)


def assigned(_: Stage, request: Request, body: Any) -> Iterator[Act]:
    before = body["previous_group_id"] if body["changed"] else request.group
    yield place(request), ("move", before, request.group)


def added(stage: Stage, request: Request, body: Any) -> Iterator[Act]:
    username = stage.usernames[request.user]
    if username in [each["username"] for each in body["added"]]:
        yield place(request), ("move", None, request.group)
    elif username in [each["username"] for each in body["changed"]]:
        yield place(request), ("enter", request.group)
    elif username in body["present"]:
        yield place(request), ("move", request.group, request.group)


def taken(_: Stage, request: Request, __: Any) -> Iterator[Act]:
    yield place(request), ("move", request.group, None)


def many(_: Stage, request: Request, body: Any) -> Iterator[Act]:
    for row in body["rows"] if body["written"] else ():
        if row["code"] is None:
            new = row["group_id"]
            before = new if row["result"] == "unchanged" else row["previous_group_id"]
            yield place(request, row["user_id"]), ("move", before, new)


def may_be_many(_: Stage, request: Request) -> Iterator[Act]:
    for row in request.json["rows"]:
        yield place(request, row["user_id"]), ("write", row["group_id"])


def visited(_: Stage, request: Request, body: Any) -> Iterator[Act]:
    before = None if body["assigned"] else body["group_id"]
    yield place(request), ("move", before, body["group_id"])


def may_be_anywhere(_: Stage, request: Request) -> Iterator[Act]:
    yield place(request), ("lose",)


def learns_group(stage: Stage, request: Request, body: Any) -> Iterator[Act]:
    stage.groups.setdefault(body["id"], request.partition)
    return iter(())


def locks(new: bool) -> Callable[..., Iterator[Act]]:
    def acts(*_: Any) -> Iterator[Act]:
        yield LOCK, ("write", new)

    return acts


def enrolled(_: Stage, request: Request, __: Any = None) -> Iterator[Act]:
    yield ("enrolled", request.user), ("write", True)


def disenrolled(stage: Stage, request: Request, _: Any = None) -> Iterator[Act]:
    yield ("enrolled", request.user), ("write", False)
    for partition in stage.partitions:
        yield ("place", partition, request.user), ("write", None)


def board(stage: Stage, _: Request, body: Any) -> Iterator[Act]:
    yield LOCK, ("read", body["course"]["is_locked"])
    shown = {each["id"]: each for each in body["partitions"]}
    stage.groups = {group["id"]: each for each in shown for group in shown[each]["groups"]}
    for partition in (*stage.partitions, stage.cohorts):
        groups = shown[partition]["groups"] if partition in shown else ()
        where = {user: group["id"] for group in groups for user in group["members"]}
        for user in stage.users:
            yield ("place", partition, user), ("read", where.get(user))
    first = shown[stage.partitions[0]]
    everybody = {*first["unassigned"]}.union(*(group["members"] for group in first["groups"]))
    for user in stage.users:
        yield ("enrolled", user), ("read", user in everybody)


def lists_members(key: str, within: str | None = None) -> Read:
    def read(stage: Stage, request: Request, body: Any) -> Iterator[Act]:
        found = {each[key] for each in (body[within] if within else body)}
        for user in stage.users:
            name = stage.usernames[user] if key == "username" else user
            yield place(request, user), ("is", request.group, name in found)

    return read


def lists_groups(key: str) -> Read:
    def read(stage: Stage, request: Request, body: Any) -> Iterator[Act]:
        where = {each["partition_id"]: each[key] for each in body}
        for partition in (*stage.partitions, stage.cohorts):
            yield ("place", partition, request.user), ("read", where.get(partition))

    return read


def lists_unassigned(stage: Stage, request: Request, body: Any) -> Iterator[Act]:
    for each in body["items"]:
        yield place(request, each["id"]), ("read", None)
        yield ("enrolled", each["id"]), ("read", True)


def always(_: Any) -> bool:
    return True
