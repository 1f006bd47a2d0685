"""Refusals in ScoDoc's words: docs/compat/scodoc.md, "Errors"."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar, Final

from starlette.exceptions import HTTPException
from typing_extensions import override

from groupsvc.domain import errors as refusals
from groupsvc.http.errors import ErrorFace, Refusal, challenge

# One client asks for a new token when it reads this very message, and only then.
UNAUTHENTICATED: Final = "Non autorise (logic)"
WRONG_LOGIN: Final = "identifiant ou mot de passe incorrect"
FORBIDDEN: Final = "Non autorise"
LOCKED: Final = "formsemestre verrouillé"
NOT_EDITABLE: Final = "partition non editable"
NOT_ENROLLED: Final = "etud non inscrit au formsemestre du groupe"
FULL: Final = "groupe complet"
NOT_FOUND: Final = (
    "404 Not Found: The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)
NOT_ALLOWED: Final = "405 Method Not Allowed: The method is not allowed for the requested URL."
INVALID: Final = "requête invalide"
CRASHED: Final = "erreur interne"
_LOGIN: Final = 'Basic realm="ScoDoc", charset="UTF-8"'
THROTTLED: Final = "trop de requêtes"
UNAVAILABLE: Final = "service momentanément indisponible"


class ScodocErrors(ErrorFace):
    name = "scodoc"
    rules: ClassVar = {
        "default_partition": Refusal(403, NOT_EDITABLE),
        "invalid_client": Refusal(401, WRONG_LOGIN, headers=challenge(_LOGIN)),
        refusals.UnauthenticatedError: Refusal(401, UNAUTHENTICATED, headers=challenge("Bearer")),
        refusals.ForbiddenError: Refusal(403, FORBIDDEN),
        refusals.NotFoundError: Refusal(404, NOT_FOUND),
        refusals.LockedError: Refusal(403, LOCKED),
        refusals.NotEditableError: Refusal(403, NOT_EDITABLE),
        refusals.FullError: Refusal(403, FULL),
        refusals.NotEnrolledError: Refusal(404, NOT_ENROLLED),
        refusals.ThrottledError: Refusal(429, THROTTLED),
        refusals.UnavailableError: Refusal(503, UNAVAILABLE),
        refusals.ConflictError: Refusal(400),
        refusals.InvalidError: Refusal(400),
        refusals.GroupsvcError: Refusal(500, CRASHED),
    }
    statuses: ClassVar = {404: NOT_FOUND, 405: NOT_ALLOWED, 500: CRASHED}
    not_found = Refusal(404, NOT_FOUND)
    crashed = Refusal(500, CRASHED)

    @override
    def encode(self, path: str, refusal: Refusal) -> tuple[bytes, str]:
        status, message = refusal.status, refusal.message
        body = {"error": HTTPStatus(status).phrase, "message": message, "status": status}
        text = json.dumps(body, ensure_ascii=False)
        return text.encode("utf-8", "replace"), "application/json"

    @override
    def invalid(self, errors: Sequence[Mapping[str, Any]]) -> Refusal:
        return Refusal(400, INVALID)


ERRORS: Final = ScodocErrors()


@contextmanager
def translate_errors(words: Mapping[str, str]) -> Generator[None]:
    """Refusals with one of these codes become a 400 with the message that the route has for it."""
    try:
        yield
    except refusals.GroupsvcError as error:
        if error.code not in words:
            raise
        raise HTTPException(400, words[error.code]) from error
