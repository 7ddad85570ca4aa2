"""Which methods an address takes: told to whoever uses another one."""

import re
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from deskbridge.kit.http import not_allowed


class Methods:
    """The methods of every address. One that is spelt out goes before one that a parameter would match."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._spelt_out: dict[str, set[str]] = {}
        self._patterns: list[tuple[re.Pattern[str], set[str]]] = []
        for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
            if "{" in route.path:
                self._patterns.append((route.path_regex, set(route.methods or ())))
            else:
                self._spelt_out.setdefault(route.path, set()).update(route.methods or ())

    def of(self, path: str) -> set[str]:
        """Return the methods that an address takes; none where there is nothing."""
        if path in self._spelt_out:
            return self._spelt_out[path]
        return set().union(*(methods for pattern, methods in self._patterns if pattern.match(path)))

    def refused(self, path: str, method: str) -> bool:
        """Tell whether an address that is spelt out does not take a method."""
        return path in self._spelt_out and method not in self._spelt_out[path]


class OwnMethods:
    """Refuse the methods that a spelt-out address has not, before a parameter takes its name for an id."""

    def __init__(self, app: ASGIApp, methods: Methods) -> None:
        self.app, self.methods = app, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.methods.refused(scope["path"], scope["method"]):
            response = not_allowed(scope["method"], self.methods.of(scope["path"]))
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)
