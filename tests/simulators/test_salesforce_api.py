"""The front of the API: sign-in, allowance, versions, metadata, several calls in one, and errors of each kind."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from xml.dom import minidom

import pytest
from tests.simulators.salesforce_kit import AGENT, BASE, CLOSED, HOST, JSON, START, TOKEN, Salesforce, failure, message

from deskbridge.simulators.wire import Request, Response, request

FORM = ("Content-Type", "application/x-www-form-urlencoded")
PASSWORD = {"grant_type": "password", "username": "desk@example.org", "password": "desk-token"}
CLIENT = {"client_id": "desk", "client_secret": "desk-secret"}


@pytest.fixture
def org() -> Salesforce:
    return Salesforce()


def token(org: Salesforce, form: dict[str, str], *headers: tuple[str, str]) -> Response:
    body = urlencode(form).encode()
    return org.send(request("POST", "/services/oauth2/token", headers=[HOST, FORM, *headers], body=body))


def limits_with(org: Salesforce, bearer: str) -> Response:
    return org.send(request("GET", f"{BASE}/limits/", headers=[HOST, ("Authorization", f"Bearer {bearer}")]))


# --- signing in


@pytest.mark.parametrize(
    "header",
    [None, "Bearer wrong", "Bearer ", "Basic ZGVzazpkZXNr", "Basic !!", "Digest x", "Bearer 00Dx!expired"],
)
def test_without_a_session_it_is_401_invalid_session_id(org: Salesforce, header: str | None) -> None:
    headers = [HOST] if header is None else [HOST, ("Authorization", header)]
    response = org.send(request("GET", f"{BASE}/limits/", headers=headers))
    assert failure(response) == (401, "INVALID_SESSION_ID")
    assert message(response) == "Session expired or invalid"
    assert response.header("WWW-Authenticate") == "Token"


def test_the_published_credentials_hold(org: Salesforce) -> None:
    assert limits_with(org, "desk-token").status == 200
    basic = ("Authorization", "Basic ZGVza0BleGFtcGxlLm9yZzpkZXNrLXRva2Vu")
    assert org.send(request("GET", f"{BASE}/limits", headers=[basic])).status == 200


def test_a_password_grant_opens_a_session_of_two_hours(org: Salesforce) -> None:
    answer = token(org, PASSWORD | CLIENT).json()
    assert answer["token_type"] == "Bearer"
    assert answer["instance_url"] == "http://127.0.0.1:8083"
    assert answer["id"].endswith(f"/{AGENT}")
    assert limits_with(org, answer["access_token"]).status == 200
    org.clock.advance(7201)
    assert failure(limits_with(org, answer["access_token"])) == (401, "INVALID_SESSION_ID")
    assert limits_with(org, token(org, PASSWORD | CLIENT).json()["access_token"]).status == 200


def test_client_credentials_come_in_the_form_or_as_basic(org: Salesforce) -> None:
    grant = {"grant_type": "client_credentials"}
    first = token(org, grant | CLIENT).json()["access_token"]
    second = token(org, grant, ("Authorization", "Basic ZGVzazpkZXNrLXNlY3JldA==")).json()["access_token"]
    assert first != second
    assert [limits_with(org, each).status for each in (first, second)] == [200, 200]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (PASSWORD, "invalid_client_id"),
        (PASSWORD | {"client_id": "else", "client_secret": "desk-secret"}, "invalid_client_id"),
        (PASSWORD | {"client_id": "desk", "client_secret": "wrong"}, "invalid_client"),
        (PASSWORD | CLIENT | {"password": "wrong"}, "invalid_grant"),
        (PASSWORD | CLIENT | {"username": "nobody@example.org"}, "invalid_grant"),
        (CLIENT | {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        (CLIENT, "unsupported_grant_type"),
    ],
)
def test_a_refused_grant_is_an_oauth_error(org: Salesforce, form: dict[str, str], error: str) -> None:
    response = token(org, form)
    assert (response.status, response.json()["error"]) == (400, error)
    assert response.json()["error_description"]


def test_a_session_can_be_revoked(org: Salesforce) -> None:
    opened = token(org, PASSWORD | CLIENT).json()["access_token"]
    body = urlencode({"token": opened}).encode()
    revoke = request("POST", "/services/oauth2/revoke", headers=[FORM], body=body)
    assert org.send(revoke).status == 200
    assert limits_with(org, opened).status == 401
    assert org.send(revoke).json()["error"] == "invalid_token"


def test_user_info_tells_who_and_where(org: Salesforce) -> None:
    org.state.set("time_zone", "Asia/Tokyo")
    info = org.send(request("GET", "/services/oauth2/userinfo", headers=[HOST, TOKEN])).json()
    assert (info["user_id"], info["email"], info["zoneinfo"]) == (AGENT, "desk@example.org", "Asia/Tokyo")
    assert failure(org.send(request("GET", "/services/oauth2/userinfo"))) == (401, "INVALID_SESSION_ID")


def login(org: Salesforce, user: str, password: str) -> tuple[int, Any]:
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{user}</n1:username>'
        f"<n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>"
    ).encode()
    response = org.send(request("POST", "/services/Soap/u/59.0", headers=[HOST], body=body))
    return response.status, minidom.parseString(response.body)


def text_of(document: Any, name: str) -> str:
    return str(document.getElementsByTagName(name)[0].firstChild.data)


@pytest.mark.parametrize("password", ["desk-token", "desk-tokendesk-token"])
def test_the_soap_login_opens_a_session(org: Salesforce, password: str) -> None:
    status, answer = login(org, "desk@example.org", password)
    assert status == 200
    assert text_of(answer, "serverUrl").startswith("http://127.0.0.1:8083/services/Soap/u/59.0/")
    assert limits_with(org, text_of(answer, "sessionId")).status == 200


def test_a_refused_soap_login_is_a_fault(org: Salesforce) -> None:
    status, answer = login(org, "desk@example.org", "wrong")
    assert (status, text_of(answer, "sf:exceptionCode")) == (500, "INVALID_LOGIN")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="x"?><a/>',
    ],
)
def test_what_is_no_login_is_a_fault(org: Salesforce, body: bytes) -> None:
    response = org.send(request("POST", "/services/Soap/u/59.0", body=body))
    assert response.status == 500
    assert b"<faultstring>UNKNOWN_EXCEPTION" in response.body


# --- the allowance of calls


def test_every_answer_says_how_much_is_used(org: Salesforce) -> None:
    first, second = org.call("GET", "/limits/"), org.call("GET", "/sobjects/Case/nonsense")
    assert [response.header("Sforce-Limit-Info") for response in (first, second)] == [
        "api-usage=1/100000",
        "api-usage=2/100000",
    ]
    assert first.json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_999}


def test_a_spent_allowance_is_403_without_a_retry_after() -> None:
    org = Salesforce(limited=True)
    org.state.set("limits", {"requests": 3, "seconds": None})
    org.case()
    assert [org.call("GET", "/limits").status for _ in range(3)] == [200, 200, 403]
    refused = org.call("POST", "/sobjects/Case/", {"Subject": "too late"})
    assert failure(refused) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert refused.header("Retry-After") == ""
    assert refused.header("Sforce-Limit-Info") == "api-usage=3/3"
    org.state.set("limits", {"enabled": False, "requests": 3})
    assert len(org.found("SELECT Id FROM Case")) == 1


def test_the_allowance_comes_back_as_the_day_moves_on() -> None:
    org = Salesforce(limited=True)
    org.state.set("limits", {"requests": 1})
    assert org.call("GET", "/limits").status == 200
    org.clock.advance(timedelta(hours=23).total_seconds())
    assert org.call("GET", "/limits").status == 403
    org.clock.advance(timedelta(hours=1).total_seconds())
    assert org.call("GET", "/limits").status == 200


def test_the_window_can_be_short() -> None:
    org = Salesforce(limited=True)
    org.state.set("limits", {"requests": 2, "seconds": 10.0})
    assert [org.call("GET", "/limits").status for _ in range(3)] == [200, 200, 403]
    org.clock.advance(10.2)
    assert org.call("GET", "/limits").status == 200


def test_signing_in_and_a_refused_session_cost_nothing() -> None:
    org = Salesforce(limited=True)
    token(org, PASSWORD | CLIENT)
    limits_with(org, "wrong")
    assert org.call("GET", "/limits").header("Sforce-Limit-Info") == "api-usage=1/100000"


# --- versions, routes, bodies


def test_versions_and_resources_are_listed(org: Salesforce) -> None:
    versions = org.send(request("GET", "/services/data/")).json()
    assert {"label": "v59.0", "url": "/services/data/v59.0", "version": "59.0"} in versions
    assert org.call("GET", "/").json()["query"] == "/services/data/v59.0/query"
    assert failure(org.send(request("GET", "/services/data/v99.0/limits", headers=[TOKEN]))) == (404, "NOT_FOUND")
    assert failure(org.send(request("GET", "/services/nothing", headers=[TOKEN]))) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/search/?q=FIND", "/tooling/query", "/jobs/ingest", "/composite/tree/Case"])
def test_what_is_left_out_is_refused_by_name(org: Salesforce, path: str) -> None:
    response = org.call("GET", path)
    assert failure(response) == (404, "NOT_FOUND")
    assert path[1:].split("?", maxsplit=1)[0].rstrip("/") in message(response)


def test_the_relationship_of_a_record_is_refused_by_name(org: Salesforce) -> None:
    response = org.call("GET", f"/sobjects/Case/{org.case()}/CaseComments")
    assert failure(response) == (404, "NOT_FOUND")
    assert "Case/{id}/CaseComments" in message(response)


def test_a_method_that_does_not_fit_is_405(org: Salesforce) -> None:
    response = org.call("PUT", f"/sobjects/Case/{org.case()}", {})
    assert failure(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.header("Allow") == "DELETE, GET, PATCH"


def test_a_client_without_patch_names_it_in_the_query(org: Salesforce) -> None:
    made = org.case()
    assert org.call("POST", f"/sobjects/Case/{made}?_HttpMethod=PATCH", {"Subject": "new"}).status == 204
    assert org.get(made)["Subject"] == "new"


def test_another_media_type_is_415(org: Salesforce) -> None:
    headers = [TOKEN, ("Content-Type", "text/plain")]
    response = org.send(request("POST", f"{BASE}/sobjects/Case", headers=headers, body=b"{}"))
    assert failure(response) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_that_was_cut_off_is_413(org: Salesforce) -> None:
    sent = Request("POST", f"{BASE}/sobjects/Case", headers={"authorization": TOKEN[1]}, body=b"{}", truncated=True)
    assert failure(org.send(sent)) == (413, "EXCEEDED_MAX_SIZE_REQUEST")


def test_an_empty_query_is_malformed(org: Salesforce) -> None:
    assert failure(org.call("GET", "/query/")) == (400, "MALFORMED_QUERY")
    assert "query?explain" in message(org.call("GET", "/query?explain=SELECT"))


# --- metadata


def test_describe_tells_the_picklists_and_the_external_id(org: Salesforce) -> None:
    described = org.call("GET", "/sobjects/Case/describe").json()
    fields = {field["name"]: field for field in described["fields"]}
    assert [choice["value"] for choice in fields["Status"]["picklistValues"]] == [
        "New",
        "Working",
        "On Hold",
        "Escalated",
        "Closed",
    ]
    assert [choice["defaultValue"] for choice in fields["Priority"]["picklistValues"]] == [False, True, False]
    assert (fields["Status"]["restrictedPicklist"], fields["Type"]["restrictedPicklist"]) == (True, False)
    reference = fields["Desk_Ref__c"]
    assert (reference["externalId"], reference["unique"], reference["idLookup"], reference["custom"]) == (True,) * 4
    assert (fields["Subject"]["length"], fields["CaseNumber"]["createable"]) == (255, False)
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert described["keyPrefix"] == "500"
    assert described["recordTypeInfos"][0]["master"]


def test_describe_shows_a_missing_unique_mark() -> None:
    fields = Salesforce(desk_ref="not_unique").call("GET", "/sobjects/Case/describe").json()["fields"]
    assert [field["unique"] for field in fields if field["name"] == "Desk_Ref__c"] == [False]


def test_every_described_field_can_be_selected(org: Salesforce) -> None:
    for summary in org.call("GET", "/sobjects/").json()["sobjects"]:
        described = org.call("GET", f"/sobjects/{summary['name']}/describe").json()
        names = ", ".join(field["name"] for field in described["fields"])
        where = f" WHERE LinkedEntityId = '{AGENT}'" if summary["name"] == "ContentDocumentLink" else ""
        assert org.soql(f"SELECT {names} FROM {summary['name']}{where}").status == 200, summary["name"]
    assert org.call("GET", "/sobjects/Case").json()["objectDescribe"]["name"] == "Case"


# --- several calls in one


def composite(org: Salesforce, *calls: dict[str, object], **more: object) -> list[dict[str, Any]]:
    entries = [{"referenceId": f"r{number}", **call} for number, call in enumerate(calls)]
    response = org.call("POST", "/composite", {"compositeRequest": entries, **more})
    assert response.status == 200, response.body
    return list(response.json()["compositeResponse"])


def test_composite_calls_refer_to_earlier_ones(org: Salesforce) -> None:
    answers = composite(
        org,
        {"method": "PATCH", "url": f"{BASE}/sobjects/Case/Desk_Ref__c/T-1", "body": {"Subject": "x"}},
        {
            "method": "POST",
            "url": f"{BASE}/sobjects/CaseComment",
            "body": {"ParentId": "@{r0.id}", "CommentBody": "for @{r0.id}"},
        },
        {"method": "GET", "url": f"{BASE}/query/?q=SELECT+Id,CommentBody+FROM+CaseComment+WHERE+ParentId='@{{r0.id}}'"},
        {"method": "GET", "url": f"{BASE}/sobjects/CaseComment/@{{r2.records[0].Id}}"},
    )
    assert [answer["httpStatusCode"] for answer in answers] == [201, 201, 200, 200]
    assert [answer["referenceId"] for answer in answers] == ["r0", "r1", "r2", "r3"]
    assert answers[3]["body"]["CommentBody"] == f"for {answers[0]['body']['id']}"


def test_a_composite_goes_on_after_a_failure_unless_all_or_none(org: Salesforce) -> None:
    good = {"method": "POST", "url": f"{BASE}/sobjects/Case", "body": {"Subject": "good"}}
    bad = {"method": "POST", "url": f"{BASE}/sobjects/Case", "body": {"Nope": 1}}
    using = {"method": "GET", "url": f"{BASE}/sobjects/Case/@{{r1.id}}"}
    answers = composite(org, good, bad, using, good)
    assert [answer["httpStatusCode"] for answer in answers] == [201, 400, 400, 201]
    assert answers[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert org.column("SELECT Subject FROM Case") == ["good", "good"]


def test_all_or_none_takes_a_composite_back(org: Salesforce) -> None:
    good = {"method": "POST", "url": f"{BASE}/sobjects/Case", "body": {"Subject": "good"}}
    bad = {"method": "POST", "url": f"{BASE}/sobjects/Case", "body": {"Nope": 1}}
    answers = composite(org, good, bad, good, allOrNone=True)
    codes = [answer["body"][0]["errorCode"] for answer in answers]
    assert codes == ["PROCESSING_HALTED", "INVALID_FIELD", "PROCESSING_HALTED"]
    assert org.found("SELECT Id FROM Case") == []


@pytest.mark.parametrize(
    "entries",
    [
        [],
        "x",
        [{"method": "GET", "url": f"{BASE}/limits", "referenceId": "a"}] * 26,
        [{"method": "GET", "url": f"{BASE}/limits", "referenceId": "a"}] * 2,
        [{"method": "GET", "url": f"{BASE}/limits"}],
        [{"method": "BREW", "url": f"{BASE}/limits", "referenceId": "a"}],
        [{"method": "POST", "url": f"{BASE}/composite", "referenceId": "a"}],
        [{"method": "GET", "url": "https://elsewhere.example", "referenceId": "a"}],
        ["x"],
    ],
)
def test_a_malformed_composite_is_refused_whole(org: Salesforce, entries: object) -> None:
    response = org.call("POST", "/composite", {"compositeRequest": entries})
    assert response.status == 400
    assert failure(response)[1] in {"INVALID_INPUT", "JSON_PARSER_ERROR"}


def test_a_composite_counts_as_one_call(org: Salesforce) -> None:
    composite(org, *[{"method": "GET", "url": f"{BASE}/limits"}] * 5)
    assert org.call("GET", "/limits").header("Sforce-Limit-Info") == "api-usage=2/100000"


def records(*rows: dict[str, object], **more: object) -> dict[str, object]:
    return {"records": [{"attributes": {"type": "Case"}, **row} for row in rows], **more}


def test_collections_give_each_record_its_own_outcome(org: Salesforce) -> None:
    first, second = org.call("POST", "/composite/sobjects", records({"Subject": "a"}, {"Status": "Nope"})).json()
    assert (first["success"], second["success"]) == (True, False)
    assert second["errors"] == [
        {
            "statusCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "message": "Status: bad value for restricted picklist field: Nope",
            "fields": ["Status"],
        }
    ]
    changed = org.call("PATCH", "/composite/sobjects", records({"id": first["id"], "Subject": "b"}, {"Subject": "c"}))
    assert [outcome["success"] for outcome in changed.json()] == [True, False]
    assert org.column("SELECT Subject FROM Case") == ["b"]


def test_all_or_none_takes_a_collection_back(org: Salesforce) -> None:
    outcomes = org.call("POST", "/composite/sobjects", records({"Subject": "a"}, {"Nope": 1}, allOrNone=True)).json()
    codes = [outcome["errors"][0]["statusCode"] for outcome in outcomes]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"]
    assert org.found("SELECT Id FROM Case") == []


def test_collections_upsert_read_and_delete(org: Salesforce) -> None:
    path = "/composite/sobjects/Case/Desk_Ref__c"
    body = records({"Desk_Ref__c": "T-1", "Subject": "a"}, {"Desk_Ref__c": "T-2", "Subject": "b"}, {"Subject": "c"})
    first = org.call("PATCH", path, body).json()
    assert [outcome.get("created") for outcome in first] == [True, True, None]
    assert [outcome.get("created") for outcome in org.call("PATCH", path, body).json()] == [False, False, None]
    made = [outcome["id"] for outcome in first[:2]]
    read = org.call("GET", f"/composite/sobjects/Case?ids={made[1]},{AGENT}&fields=Subject").json()
    assert (read[0]["Subject"], read[1]) == ("b", None)
    gone = org.call("DELETE", f"/composite/sobjects?ids={','.join(made)},nonsense&allOrNone=false").json()
    assert [outcome["success"] for outcome in gone] == [True, True, False]


def test_a_collection_has_at_most_200_records(org: Salesforce) -> None:
    response = org.call("POST", "/composite/sobjects", records(*[{"Subject": "x"}] * 201))
    assert failure(response) == (400, "EXCEEDED_ID_LIMIT")
    assert failure(org.call("POST", "/composite/sobjects", {})) == (400, "JSON_PARSER_ERROR")
    unknown = org.call("POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Nope"}}]}).json()
    assert unknown[0]["errors"][0]["statusCode"] == "INVALID_TYPE"


# --- the whole thing


def test_the_same_calls_give_the_same_answers() -> None:
    """No wall clock, no randomness: a simulation can be replayed."""

    def run() -> list[tuple[int, bytes]]:
        org = Salesforce()
        made = org.case(Desk_Ref__c="T-1")
        answers = [org.call("PATCH", f"/sobjects/Case/{made}", CLOSED), token(org, PASSWORD | CLIENT)]
        answers.append(org.soql("SELECT FIELDS(ALL) FROM Case LIMIT 1"))
        return [(answer.status, answer.body) for answer in answers]

    assert run() == run()


def test_a_dumped_org_comes_back_whole(org: Salesforce) -> None:
    made = org.case(Desk_Ref__c="T-1")
    other = Salesforce()
    other.state.load(org.state.dump())
    assert other.get(made) == org.get(made)
    assert failure(other.call("POST", "/sobjects/Case/", {"Desk_Ref__c": "T-1"})) == (400, "DUPLICATE_VALUE")
    assert other.case() != made


def test_stamps_are_whole_seconds_everywhere(org: Salesforce) -> None:
    org.clock.freeze(START + timedelta(milliseconds=123))
    made = org.case()
    org.create("CaseComment", ParentId=made, CommentBody="x")
    org.call("DELETE", f"/sobjects/Case/{made}")
    for name in ("Case", "CaseComment", "CaseHistory"):
        for row in org.found(f"SELECT FIELDS(STANDARD) FROM {name}", deleted=True):
            stamps = [value for key, value in row.items() if key.endswith(("Date", "stamp")) and value]
            assert stamps
            assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\.000\+0000", stamp) for stamp in stamps)


@pytest.mark.parametrize(
    "path", ["/sobjects/Case/%FF", "/sobjects/%00/x", "/query/%F0%9F%94%A5", "/sobjects/Case/a/b/c"]
)
def test_strange_paths_are_not_found(org: Salesforce, path: str) -> None:
    response = org.send(request("GET", BASE + path, headers=[TOKEN, JSON]))
    assert response.status in {400, 404}
    assert failure(response)[1] in {"NOT_FOUND", "INVALID_QUERY_LOCATOR"}
