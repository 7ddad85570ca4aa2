from deskbridge.kit.http_headers import DOCS_POLICY, PAGE_POLICY


def directives(policy):
    return dict(part.split(" ", 1) for part in policy.split("; "))


def test_pages_may_run_no_inline_code():
    assert "unsafe" not in PAGE_POLICY
    assert directives(PAGE_POLICY)["default-src"] == "'none'"
    assert directives(PAGE_POLICY)["script-src"] == "'self'"
    assert directives(PAGE_POLICY)["frame-ancestors"] == "'none'"
    assert directives(PAGE_POLICY)["form-action"] == "'self'"


def test_api_docs_may_style_themselves_but_not_run_inline_code():
    assert directives(DOCS_POLICY)["style-src"] == "'self' 'unsafe-inline'"
    assert directives(DOCS_POLICY)["script-src"] == "'self'"
