"""docs/scodoc.md: its calls make all that a ScoDoc has and these routes do not make."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

GUIDE = Path(__file__).parents[3] / "docs" / "scodoc.md"
CALL = re.compile(r"^put (\S+) '(.*?)'$", re.MULTILINE | re.DOTALL)


async def provision(client: httpx.AsyncClient) -> dict[str, Any]:
    """Run the calls of the guide, and tell the answers by path."""
    ids: dict[str, str] = {}
    answers: dict[str, Any] = {}
    for path, body in CALL.findall(GUIDE.read_text(encoding="utf-8")):
        for name, number in ids.items():
            path = path.replace(name, number)
        answer = await client.put(path, json=json.loads(body))
        assert answer.is_success, (path, answer.text)
        answers[path] = answer.json()
        for beginning, name in (("/v1/courses/by-key/", "$COURSE"), ("/v1/users/", "$USER")):
            if path.startswith(beginning):
                ids[name] = str(answer.json()["id"])
    return {**answers, **ids}


async def test_a_department_works_as_the_guide_sets_it_up(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    made = await provision(client)
    course, student = int(made["$COURSE"]), int(made["$USER"])
    answer = await anonymous.post(
        "/ScoDoc/api/tokens", auth=("secretariat-rt", "at least eight characters")
    )
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    api = "/ScoDoc/RT/api"

    found = await anonymous.get(f"{api}/formsemestre/{course}/partitions", headers=headers)
    (parcours,) = found.json().values()
    assert parcours["partition_name"] == "Parcours"
    groups = [group["group_name"] for group in parcours["groups"].values()]
    assert groups == ["Cyber", "IOM"]

    (cyber, _) = parcours["groups"]
    found = await anonymous.get(f"{api}/group/{cyber}/etudiants", headers=headers)
    assert [(each["id"], each["nom"], each["code_nip"]) for each in found.json()] == [
        (student, "LOVELACE", "22104711")
    ]

    create = f"{api}/formsemestre/{course}/partition/create"
    td = await anonymous.post(create, headers=headers, json={"partition_name": "TD"})
    path = f"{api}/partition/{td.json()['id']}"
    a = await anonymous.post(f"{path}/group/create", headers=headers, json={"group_name": "A"})
    assert a.json()["partition"]["partition_name"] == "TD"

    assert (await client.put(f"/v1/courses/{course}/lock")).status_code == 200
    put = f"{api}/group/{a.json()['id']}/set_etudiant/{student}"
    refused = await anonymous.post(put, headers=headers)
    assert refused.json()["message"] == "formsemestre verrouillé"
    assert (await client.delete(f"/v1/courses/{course}/lock")).status_code == 200
    assert (await anonymous.post(put, headers=headers)).status_code == 200
