"""What browsers may do with our pages. They carry no inline script or style, so the policy needs no exception."""

from collections.abc import Mapping

PAGE_DIRECTIVES: Mapping[str, str] = {
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
# Swagger UI and ReDoc put style elements and small data: pictures into the page, and ReDoc searches in a worker.
DOCS_DIRECTIVES: Mapping[str, str] = {
    **PAGE_DIRECTIVES,
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "worker-src": "blob:",
}


def _policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


PAGE_POLICY = _policy(PAGE_DIRECTIVES)
DOCS_POLICY = _policy(DOCS_DIRECTIVES)
