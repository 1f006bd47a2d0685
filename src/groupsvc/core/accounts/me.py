"""Callers, as they are to themselves."""

import json
from typing import Any

from groupsvc.core.service import Service
from groupsvc.domain.grants import format_grant
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.principal import GrantScope

ANYWHERE = GrantScope(everywhere=True, departments=(), courses=())


class CallerService(Service):
    async def me(self) -> JsonResource[dict[str, Any]]:
        """The caller, their grants, and their entry in the roster if the token names one.

        Nobody needs a permission for that.
        """
        caller = self._principal
        user = None
        if caller.username is not None:
            user = await self._uow.users.read_name(caller.username, ANYWHERE)
        body = {
            "subject": caller.subject,
            "username": caller.username,
            "grants": sorted(map(format_grant, caller.grants)),
            "user": user.data if user is not None else None,
        }
        return JsonResource(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
