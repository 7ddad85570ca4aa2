"""Static files: put together, named by their content, compressed once, served as immutable.

There is no build step: style sheets and modules are concatenated when the process starts.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent / "static"

# The order is the cascade's: layers make it harmless, but readers expect it.
STYLE_SHEETS = (
    "css/reset.css",
    "css/tokens.css",
    "css/base.css",
    "css/layout.css",
    "css/components/actions.css",
    "css/components/marks.css",
    "css/components/forms.css",
    "css/components/list.css",
    "css/components/thread.css",
    "css/components/feedback.css",
    "css/responsive.css",
    "css/utilities.css",
    "css/print.css",
)
# Each module after those it imports.
SHARED_MODULES = (
    "js/dom.js",
    "js/toasts.js",
    "js/times.js",
    "js/prefs.js",
    "js/forms.js",
    "js/composer.js",
    "js/live.js",
)
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "app.css": STYLE_SHEETS,
    "portal.js": SHARED_MODULES,
    "desk.js": (*SHARED_MODULES, "js/swaps.js", "js/list.js", "js/keys.js"),
}
SINGLE_FILES = (
    "js/theme.js",
    "js/docs.js",
    "js/redoc.js",
    "icons.svg",
    "favicon.svg",
    "speculation.json",
    "vendor/htmx/htmx.min.js",
    "vendor/inter/inter-latin-wght-normal.woff2",
    "vendor/inter/inter-latin-ext-wght-normal.woff2",
    "vendor/swagger-ui/swagger-ui-bundle.js",
    "vendor/swagger-ui/swagger-ui.css",
    "vendor/redoc/redoc.standalone.js",
)

# ReDoc shows its maker's logo from the maker's server; pages of a desk ask nobody but the desk.
REPLACED = {
    "vendor/redoc/redoc.standalone.js": (
        b"https://cdn.redoc.ly/redoc/logo-mini.svg",
        b"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==",
    )
}
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/speculationrules+json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PACKED = {".woff2"}  # already compressed: gzip would only make it larger


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    path: str
    content_type: str
    body: bytes

    @cached_property
    def zipped(self) -> bytes | None:
        """The body for clients that take gzip; None where it gains nothing. Made at the first request."""
        if Path(self.path).suffix in PACKED:
            return None
        return gzip.compress(self.body, 9, mtime=0)


class Assets:
    """All static files of the program: `url()` for pages, and the ASGI app that serves them."""

    def __init__(self, prefix: str = "/static/") -> None:
        self.prefix = prefix
        self._by_name: dict[str, Asset] = {}
        self._by_path: dict[str, Asset] = {}
        for name in SINGLE_FILES:
            self._add(name, single_file(name))
        for name, parts in BUNDLES.items():
            self._add(name, self._bundle(parts).encode())

    def url(self, name: str) -> str:
        """Where the file is served; its name changes with its content. KeyError for a file not listed above."""
        return self._by_name[name].path

    def body(self, name: str) -> bytes:
        return self._by_name[name].body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asset = self._by_path.get(scope["path"])
        await answer(asset, scope)(scope, receive, send)

    def _add(self, name: str, body: bytes) -> None:
        suffix = Path(name).suffix
        digest = hashlib.sha256(body).hexdigest()[:12]
        asset = Asset(f"{self.prefix}{Path(name).stem}-{digest}{suffix}", CONTENT_TYPES[suffix], body)
        self._by_name[name] = self._by_path[asset.path] = asset

    def _bundle(self, parts: Sequence[str]) -> str:
        texts = [(STATIC / part).read_text(encoding="utf-8") for part in parts]
        if parts[0].endswith(".js"):
            return join_modules(texts)
        return re.sub(r"url\(([\w./-]+)\)", lambda match: f"url({self.url(match[1])})", join_styles(texts))


def single_file(name: str) -> bytes:
    """Return a file's bytes as they are served."""
    body = (STATIC / name).read_bytes()
    return body.replace(*REPLACED[name]) if name in REPLACED else body


def join_styles(texts: Sequence[str]) -> str:
    """Return one style sheet without comments and indentation."""
    bare = re.sub(r"/\*.*?\*/", "", "\n".join(texts), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", bare).strip()


def join_modules(texts: Sequence[str]) -> str:
    """Return one module of several: in one scope neither imports nor exports are needed; names are unique (tested)."""
    without_imports = re.sub(r"^import .*\n", "", "\n".join(texts), flags=re.MULTILINE)
    return re.sub(r"^export ", "", without_imports, flags=re.MULTILINE)


def answer(asset: Asset | None, scope: Scope) -> Response:
    if asset is None:
        return PlainTextResponse("Not found.\n", 404)
    if scope["method"] not in {"GET", "HEAD"}:
        return PlainTextResponse("Method not allowed.\n", 405, {"Allow": "GET, HEAD"})
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if asset.zipped is None or not takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
        return Response(asset.body, headers=headers, media_type=asset.content_type)
    return Response(asset.zipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.content_type)


def takes_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding header names gzip, and not with a weight of nothing."""
    return any(re.fullmatch(r"\s*gzip\s*(;\s*q=(1|0\.0*[1-9]).*)?", part) for part in accepted.split(","))
