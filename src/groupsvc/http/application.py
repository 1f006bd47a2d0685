"""The application of one face: flat routes, its errors, its document."""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, FastAPI

import groupsvc
from groupsvc.http.errors import ErrorFace

Document = dict[str, Any]


class FaceApplication(FastAPI):
    """``edits`` change the OpenAPI document in place, and may do so again."""

    def __init__(
        self,
        routers: Iterable[APIRouter],
        errors: ErrorFace,
        *,
        title: str,
        description: str = "",
        docs: bool = True,
        edits: Iterable[Callable[[Document], None]] = (),
        lifespan: Any = None,
    ) -> None:
        super().__init__(
            title=title,
            version=groupsvc.__version__,
            description=description,
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url="/openapi.json" if docs else None,
            redirect_slashes=False,
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self.edits = list(edits)
        errors.install(self)
        for router in routers:
            # Flat: FastAPI would match an included router anew for every request.
            self.router.routes.extend(router.routes)

    def openapi(self) -> Document:
        document = super().openapi()
        for edit in self.edits:
            edit(document)
        return document
