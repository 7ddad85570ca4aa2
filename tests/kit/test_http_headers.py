import pytest
from starlette.responses import PlainTextResponse
from tests.asgi import fetch

from deskbridge.kit.http_headers import SecurityHeaders


def get(path, *, strict_transport=False, headers=None):
    inner = PlainTextResponse("hello", headers=headers)
    return fetch(SecurityHeaders(inner, strict_transport=strict_transport), path)


def test_pages_may_run_no_inline_code():
    policy = get("/desk/tickets").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_api_docs_may_style_themselves_but_not_run_inline_code(path):
    directives = dict(part.split(" ", 1) for part in get(path).headers["content-security-policy"].split("; "))
    assert directives["style-src"] == "'self' 'unsafe-inline'"
    assert directives["script-src"] == "'self'"


def test_the_rest():
    headers = get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


def test_strict_transport_where_it_is_asked_for():
    assert "max-age=31536000" in get("/", strict_transport=True).headers["strict-transport-security"]


def test_an_answer_keeps_its_own_policy():
    answer = get("/", headers={"Content-Security-Policy": "sandbox"})
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]
