"""The headers that tell browsers what a page may do. Pages carry no inline script or style, so the policy is strict."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
)
# Swagger UI and ReDoc put style elements and small data: pictures into the page, and ReDoc searches in a worker.
DOCS_POLICY: Mapping[str, str] = MappingProxyType(
    {
        **POLICY,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "worker-src": "blob:",
    }
)
DOCS_PATHS = ("/docs", "/redoc")
YEAR = 31_536_000


def content_security_policy(directives: Mapping[str, str]) -> str:
    """Return the header's value."""
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def security_headers(*, strict_transport: bool) -> dict[str, str]:
    """Return the headers every answer carries; `strict_transport` is for desks that are only reached over https."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    if strict_transport:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    return headers


class SecurityHeaders:
    """Add the headers to every answer that does not set its own."""

    def __init__(self, app: ASGIApp, *, strict_transport: bool, docs_paths: Iterable[str] = DOCS_PATHS) -> None:
        self.app = app
        self.headers = security_headers(strict_transport=strict_transport)
        self.policy = content_security_policy(POLICY)
        self.docs_policy = content_security_policy(DOCS_POLICY)
        self.docs_paths = frozenset(docs_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        for name, value in self.headers.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", self.docs_policy if path in self.docs_paths else self.policy)
