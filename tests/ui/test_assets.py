import gzip
import hashlib
import re
import tomllib

import pytest
from tests.asgi import fetch

from deskbridge.ui import words
from deskbridge.ui.assets import BUNDLES, SINGLE_FILES, STATIC, STYLE_SHEETS, Assets, takes_gzip

TEMPLATES = STATIC.parent / "templates"
VENDORED = tomllib.loads((STATIC / "vendor/vendor.toml").read_text())["package"]


@pytest.fixture(scope="module")
def assets():
    return Assets()


@pytest.mark.parametrize("package", VENDORED, ids=lambda package: package["name"])
def test_vendored_files_are_the_published_ones(package):
    assert package["version"]
    assert package["licence"]
    assert (STATIC / package["licence_file"]).stat().st_size > 100
    for name, digest in package["sha256"].items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_every_vendored_file_is_listed():
    listed = {name for package in VENDORED for name in package["sha256"]}
    shipped = {name for name in SINGLE_FILES if name.startswith("vendor/")}
    assert shipped <= listed


def test_every_source_file_is_served():
    own = {str(path.relative_to(STATIC)) for folder in ("css", "js") for path in (STATIC / folder).rglob("*.*")}
    assert own == {*STYLE_SHEETS, *(part for parts in BUNDLES.values() for part in parts), *SINGLE_FILES} & own
    assert own <= {*(part for parts in BUNDLES.values() for part in parts), *SINGLE_FILES}


def test_budgets(assets):
    def size(name):
        return len(gzip.compress(assets.body(name), 9))

    assert size("app.css") <= 15_000
    assert size("portal.js") + size("js/theme.js") <= 5_000
    assert size("desk.js") + size("js/theme.js") + size("vendor/htmx/htmx.min.js") <= 40_000
    assert size("icons.svg") + len(assets.body("vendor/inter/inter-latin-wght-normal.woff2")) <= 55_000


def test_no_style_sheet_imports_or_fetches_from_elsewhere(assets):
    css = assets.body("app.css").decode()
    assert "@import" not in css
    for address in re.findall(r"url\(([^)]*)\)", css):
        assert address.startswith("/static/")
    assert "/*" not in css


def test_modules_share_one_scope_without_clashes(assets):
    for name in ("desk.js", "portal.js"):
        script = assets.body(name).decode()
        assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
        names = re.findall(r"^(?:async )?(?:const|let|function) (\w+)", script, re.MULTILINE)
        names += [
            name for group in re.findall(r"^const \{([^}]*)\} =", script, re.MULTILINE) for name in group.split(",")
        ]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_modules_come_after_what_they_import():
    for parts in (parts for name, parts in BUNDLES.items() if name.endswith(".js")):
        for index, part in enumerate(parts):
            for wanted in re.findall(r'^import .* from "\./(.*)";$', (STATIC / part).read_text(), re.MULTILINE):
                assert f"js/{wanted}" in parts[:index], f"{part} needs {wanted}"


def test_every_icon_in_use_is_in_the_sprite(assets):
    known = set(re.findall(r'<symbol id="([\w-]+)"', assets.body("icons.svg").decode()))
    used = set()
    for path in TEMPLATES.rglob("*.html"):
        used |= set(re.findall(r'\bicon\("([\w-]+)"', path.read_text()))
        used |= set(re.findall(r'glyph="([\w-]+)"', path.read_text()))
    used |= {word.glyph for table in (words.STATUS, words.CUSTOMER_STATUS, words.CHANNEL) for word in table.values()}
    assert used <= known


def test_files_are_immutable_and_compressed(assets):
    answer = fetch(assets, assets.url("app.css"), headers={"Accept-Encoding": "br, gzip"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == assets.body("app.css")


def test_without_gzip_the_bytes_are_plain(assets):
    answer = fetch(assets, assets.url("js/theme.js"), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == assets.body("js/theme.js")


def test_fonts_are_not_compressed_again(assets):
    answer = fetch(
        assets, assets.url("vendor/inter/inter-latin-wght-normal.woff2"), headers={"Accept-Encoding": "gzip"}
    )
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "font/woff2"


def test_head_has_no_body(assets):
    answer = fetch(assets, assets.url("icons.svg"), "HEAD", headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(assets.body("icons.svg"))
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/static/app.css", "/static/../pages.py", "/static/vendor/vendor.toml", "/static/"])
def test_nothing_else_is_served(assets, path):
    assert fetch(assets, path).status_code == 404


def test_only_reading(assets):
    assert fetch(assets, assets.url("app.css"), "POST").status_code == 405


@pytest.mark.parametrize(
    ("header", "answer"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("", False), ("br", False)],
)
def test_encoding_is_chosen_by_its_weight(header, answer):
    assert takes_gzip(header) is answer


def test_names_follow_the_content(assets):
    assert re.fullmatch(r"/static/app-[0-9a-f]{12}\.css", assets.url("app.css"))
