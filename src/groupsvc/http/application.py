"""The application of one face: flat routes, its errors, its document."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, FastAPI

import groupsvc
from groupsvc.http.documents import Document as Document
from groupsvc.http.documents import complete, published
from groupsvc.http.errors import ErrorFace

NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})


class FaceApplication(FastAPI):
    """``edits`` change the OpenAPI document in place, and may do so again.

    ``tags`` has the groups of operations in the order of their use; ``mounted`` is where the
    application will be, for the ``servers`` of the document.
    """

    def __init__(
        self,
        routers: Iterable[APIRouter],
        errors: ErrorFace,
        *,
        title: str,
        description: str = "",
        tags: Mapping[str, str] = NO_TAGS,
        mounted: str = "",
        docs: bool = True,
        edits: Iterable[Callable[[Document], None]] = (),
        lifespan: Any = None,
    ) -> None:
        super().__init__(
            title=title,
            version=groupsvc.__version__,
            description=description,
            openapi_tags=[{"name": name, "description": tags[name]} for name in tags],
            servers=[{"url": mounted or "/"}],
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self.edits = [*edits, complete]
        errors.install(self)
        for router in routers:
            # Flat: FastAPI would match an included router anew for every request.
            self.router.routes.extend(router.routes)
        if docs:
            self.router.routes.append(published("/openapi.json", self.openapi, mounted))

    def openapi(self) -> Document:
        document = super().openapi()
        for edit in self.edits:
            edit(document)
        return document
