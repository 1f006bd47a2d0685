"""The ScoDoc 9 dialect: its partitions API over the same courses, as an application to mount.

A formsemestre is a course, its ``etat`` is not to be locked, and ``Parcours`` is the partition of
the tracks. ScoView is ``groups:read``, ScoEtudChangeGroups is ``groups:write``. What is answered is
described in docs/compat/scodoc.md, "What the ScoDoc face answers".
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter

from groupsvc.faces.scodoc import (
    auto_assignment,
    directory,
    examples,
    groups,
    members,
    partitions,
    students,
    tokens,
)
from groupsvc.faces.scodoc.errors import ERRORS as ERRORS
from groupsvc.faces.scodoc.journal import JOURNAL as JOURNAL
from groupsvc.faces.scodoc.methods import FrameworkMethods
from groupsvc.faces.scodoc.routing import DialectRouter
from groupsvc.faces.scodoc.vocabulary import VOCABULARY as VOCABULARY
from groupsvc.http.application import FaceApplication
from groupsvc.http.examples import fill_in

TITLE = "groupsvc: ScoDoc dialect"
DESCRIPTION = """The partitions API of ScoDoc 9, under `/ScoDoc/api` for callers who may act in all
departments and under `/ScoDoc/<acronym>/api` for those of one. `POST /ScoDoc/api/tokens` gives a
token to an account. Bodies are read as JSON whatever their content type."""

# The hot ones first: routes are tried in this order.
ROUTERS: Sequence[APIRouter | DialectRouter] = (
    members.router,
    partitions.router,
    groups.router,
    students.router,
    directory.router,
    tokens.router,
    auto_assignment.router,
)

PREFIX: Final = "/ScoDoc"

# Groups of operations in the order in which a newcomer needs them.
TAGS: Mapping[str, str] = {
    "tokens": "A token for a local account, by HTTP Basic.",
    "directory": "Departments, formsemestres and students: the way to the ids of the rest.",
    "students": "Who is in a formsemestre, and in which of its groups.",
    "partitions": "The partitions of a formsemestre.",
    "groups": "The groups of a partition.",
    "members": "Who is in which group.",
    "auto assignment": "What the group editor keeps for itself.",
}


def make_app(*, docs: bool = True, demo: bool = True) -> FaceApplication:
    """The application, to be mounted at ``/ScoDoc``; ``docs`` serves ``/openapi.json`` in it.

    With ``demo`` its document names rows of the demo institution.
    """
    app = FaceApplication(
        ROUTERS,
        ERRORS,
        title=TITLE,
        description=DESCRIPTION,
        tags=TAGS,
        mounted=PREFIX,
        docs=docs,
        edits=[tokens.offer_login, fill_in(examples.USUAL, examples.OWN, parameters=demo)],
    )
    app.add_middleware(FrameworkMethods)
    return app
