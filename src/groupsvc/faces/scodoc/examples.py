"""What the document of this dialect fills in. Ids are those of the demo institution."""

from collections.abc import Mapping
from typing import Any, Final

from groupsvc.http.examples import Example, at

USUAL: Final[Mapping[str, Any]] = {
    "acronym": "INFO",
    "dept": "INFO",
    "dept_id": 1,
    "edt_id": "INFO-TD1",
    "etudid": 2,
    "formsemestre_id": 1,
    "group_id": 5,
    "ine": "0900000001A",
    "nip": "21000001",
    "partition_id": 5,
    "start": "mar",
}

OWN: Final[Mapping[str, Example | None]] = {
    "create_partition": at({"partition_name": "Ateliers", "show_in_lists": True}),
    "create_partition_in_department": at({"partition_name": "Projets", "show_in_lists": True}),
    "order_partitions": at([7, 6, 5]),
    "edit_partition": at({"bul_show_rank": True}),
    "delete_partition": None,
    "create_group": at({"group_name": "TD7"}),
    "create_group_in_department": at({"group_name": "TD8"}),
    "edit_group": at({"edt_id": "INFO-TD1"}),
    "delete_group": None,
    "order_groups": at([23, 22, 21, 20], partition_id=8),
    "set_etudiant": at(etudid=11),
    "group_remove_etud": None,
    "partition_remove_etud": None,
    "save_groups_auto_assignment": at({"rules": []}),
}
