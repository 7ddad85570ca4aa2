"""Whatever comes in, the org answers in its own words: no exception ever leaves the handler."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.salesforce_kit import BASE, HOST, JSON, TOKEN, Salesforce

from deskbridge.simulators.salesforce import objects
from deskbridge.simulators.wire import request

_ORG = Salesforce()
_CASE = _ORG.case(Desk_Ref__c="T-1")
_COMMENT = _ORG.create("CaseComment", ParentId=_CASE, CommentBody="x")
_VERSION = _ORG.create("ContentVersion", PathOnClient="a", VersionData="aGk=", FirstPublishLocationId=_CASE)
_ATTACHMENT = _ORG.create("Attachment", ParentId=_CASE, Name="n", Body="aGk=", ContentType="te\nxt")
_RECORDS = [_CASE, _COMMENT, _VERSION, _ATTACHMENT]
_ROWS = _ORG.state.dump()

_FIELDS = sorted({field.name for sobject in objects.ALL for field in sobject.fields})
_OBJECTS = st.sampled_from([sobject.name for sobject in objects.ALL])
_VALUES = st.sampled_from(
    [
        None,
        True,
        5,
        -1.5,
        10**30,
        "",
        "x",
        "x" * 300,
        "Closed",
        "Web",
        "aGk=",
        "a@b.co",
        "\x00",
        "\u202e🔥",
        "+1",
        [],
        {},
    ]
) | st.sampled_from(_RECORDS)
_BODIES = st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=6)
_SEGMENTS = st.sampled_from(
    [
        "describe",
        "updated",
        "deleted",
        "Desk_Ref__c",
        "Id",
        "T-1",
        "VersionData",
        "Body",
        "%00",
        "%FF",
        "..",
        "",
        *_RECORDS,
    ]
)
_QUERIES = st.sampled_from(
    [
        "",
        "start=2025-03-10T08:00:00Z&end=2025-03-10T10:00:00Z",
        "start=0001-01-01T00:00:00%2B23:59&end=9999-12-31T23:59:59-23:59",
        "fields=Id,SystemModstamp",
        "fields=,",
        "updateOnly=true",
        "_HttpMethod=DELETE",
    ]
)


@pytest.fixture(autouse=True)
def _as_before() -> None:
    """Each test begins with the four records."""
    _ORG.state.load(_ROWS)


def _answers(method: str, path: str, body: object = None, **headers: str) -> int:
    response = _ORG.call(method, path, body, **headers)
    if response.status >= 400:
        assert isinstance(response.json(), list)
    return response.status


@settings(max_examples=300)
@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]), _OBJECTS, st.lists(_SEGMENTS, max_size=3), _QUERIES, _BODIES
)
def test_any_row_call(method: str, name: str, segments: list[str], query: str, body: dict[str, Any]) -> None:
    path = "/".join([f"/sobjects/{name}", *segments])
    given_body = None if method in {"GET", "DELETE"} else body
    assert _answers(method, f"{path}?{query}", given_body) in {200, 201, 204, 300, 400, 404, 405}


@settings(max_examples=200)
@given(_OBJECTS, st.lists(_BODIES, max_size=3), st.booleans())
def test_any_collection(name: str, bodies: list[dict[str, Any]], all_or_none: bool) -> None:
    records = [{"attributes": {"type": name}, **body} for body in bodies]
    for method, path in (("POST", ""), ("PATCH", ""), ("PATCH", f"/{name}/Desk_Ref__c")):
        status = _answers(method, f"/composite/sobjects{path}", {"records": records, "allOrNone": all_or_none})
        assert status in {200, 404}


_CALLS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PATCH", "DELETE", "brew", 5]),
        "url": st.sampled_from(
            [f"{BASE}/sobjects/Case", f"{BASE}/sobjects/Case/{_CASE}", f"{BASE}/query?q=@{{a.id}}", "x"]
        ),
        "referenceId": st.sampled_from(["a", "b", "c", None]),
        "body": _BODIES | st.sampled_from(["@{a}", "@{a.id}", "@{a[0].message}", "@{b.records[9]}", None]),
    }
)


@settings(max_examples=200)
@given(st.lists(_CALLS, max_size=4), st.booleans())
def test_any_composite(calls: list[dict[str, Any]], all_or_none: bool) -> None:
    assert _answers("POST", "/composite", {"compositeRequest": calls, "allOrNone": all_or_none}) in {200, 400}


_LITERALS = st.sampled_from(
    ["'x'", f"'{_CASE}'", "5", "-1.5e3", "true", "null", "2025-03-10T09:00:00Z", "2025-03-10", "TODAY", "LAST_N_DAYS:3"]
)
_PATHS = st.sampled_from(
    [*_FIELDS, "Owner.Name", "Parent.Subject", "Contact.Account.Name", "LinkedEntity.Name", "Nope.Id"]
)
_CONDITIONS = st.recursive(
    st.builds("{} {} {}".format, _PATHS, st.sampled_from(["=", "!=", "<", ">=", "LIKE"]), _LITERALS)
    | st.builds("{} {} ({}, {})".format, _PATHS, st.sampled_from(["IN", "NOT IN"]), _LITERALS, _LITERALS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner)
        | st.builds("(NOT {})".format, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=400)
@given(_OBJECTS, st.lists(_PATHS, min_size=1, max_size=3), _CONDITIONS, _PATHS, st.booleans())
def test_any_query(name: str, selected: list[str], where: str, order: str, lagging: bool) -> None:
    _ORG.state.set("lag", 60.0 if lagging else 0.0)
    response = _ORG.soql(f"SELECT {', '.join(selected)} FROM {name} WHERE {where} ORDER BY {order} DESC", deleted=True)
    assert response.status in {200, 400}
    if response.status == 200:
        assert response.json()["totalSize"] == len(response.json()["records"])


@settings(max_examples=200)
@given(_OBJECTS, st.sampled_from(["COUNT", "MIN", "MAX", "SUM", "AVG", "COUNT_DISTINCT"]), _PATHS, _PATHS)
def test_any_aggregate(name: str, function: str, path: str, group: str) -> None:
    assert _ORG.soql(f"SELECT {group}, {function}({path}) FROM {name} GROUP BY {group}").status in {200, 400}


@given(
    st.sampled_from(["edit", "status/Closed", "status/%00", "comment", "post", "file"]),
    st.binary(max_size=60)
    | st.sampled_from([b"Reason=%ff&Subject=%00", b"CommentBody=x&Body=y", b"Desk_Minutes__c=nan"]),
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", ""]
    ),
)
def test_any_form(action: str, body: bytes, media: str) -> None:
    sent = request("POST", f"/lightning/r/Case/{_CASE}/{action}", headers=[("Content-Type", media)], body=body)
    answer = _ORG.simulator.page(sent)
    assert answer is not None
    assert answer.status in {303, 400, 404}


@given(
    st.binary(max_size=80),
    st.sampled_from(["/services/oauth2/token", "/services/oauth2/revoke", "/services/Soap/u/59.0"]),
)
def test_any_sign_in(body: bytes, path: str) -> None:
    assert _ORG.send(request("POST", path, headers=[HOST], body=body)).status in {400, 500}


@given(st.text(max_size=30), st.sampled_from(["If-Unmodified-Since", "Sforce-Query-Options", "Sforce-Call-Options"]))
def test_any_header(value: str, name: str) -> None:
    body = b'{"Subject":"x"}'
    sent = request("PATCH", f"{BASE}/sobjects/Case/{_CASE}", headers=[TOKEN, JSON, (name, value)], body=body)
    assert _ORG.send(sent).status in {204, 400, 404, 412}
