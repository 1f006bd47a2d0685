"""What the edge lets be large and take long has connections and statements that may take long."""

import re

from fastapi import FastAPI
from starlette.routing import Mount

from groupsvc.faces import openedx
from groupsvc.http.routing import TransactionalRoute

FACE = ("/api/cohorts", "/courses")


def test_every_address_that_may_bring_many_is_served_in_bulk(app: FastAPI) -> None:
    served = {
        mount.path + re.sub(r"{[^}]*}", "x", route.path): route.bulk
        for mount in app.routes
        if isinstance(mount, Mount) and mount.path in FACE
        for route in mount.routes
        if isinstance(route, TransactionalRoute) and route.include_in_schema
        if "POST" in (route.methods or ())
    }
    assert served == {path: openedx.is_bulk(path) for path in served}
    assert sum(served.values()) == 6
