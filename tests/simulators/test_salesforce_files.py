"""Files: versions, documents and links, the older attachments, and sizes."""

import base64
import json
import random

import pytest
from tests.simulators.salesforce_kit import AGENT, BASE, TOKEN, Salesforce, failure

from deskbridge.simulators.salesforce import files
from deskbridge.simulators.wire import Response, request

BYTES = random.Random(4).randbytes(70_000)


@pytest.fixture
def org() -> Salesforce:
    return Salesforce()


def upload(org: Salesforce, case: str, data: bytes, name: str = "trace.log", **more: object) -> str:
    encoded = base64.b64encode(data).decode()
    return org.create("ContentVersion", PathOnClient=name, VersionData=encoded, FirstPublishLocationId=case, **more)


def send_multipart(org: Salesforce, sobject: str, fields: object, data: bytes, boundary: str = "b7") -> Response:
    blob = "VersionData" if sobject == "ContentVersion" else "Body"
    part = f"--{boundary}\r\nContent-Disposition: form-data; name="
    head = (
        f'{part}"entity_content"\r\nContent-Type: application/json\r\n\r\n{json.dumps(fields)}\r\n'
        f'{part}"{blob}"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    headers = [TOKEN, ("Content-Type", f'multipart/form-data; boundary="{boundary}"')]
    return org.send(request("POST", f"{BASE}/sobjects/{sobject}/", headers=headers, body=body))


@pytest.mark.parametrize("data", [BYTES, b"\0", b"--+++\r\n--+++--\r\n", "طابعة 🔥".encode(), bytes(range(256))])
def test_bytes_come_back_as_they_went(org: Salesforce, data: bytes) -> None:
    case = org.case()
    as_json = upload(org, case, data)
    as_parts = send_multipart(org, "ContentVersion", {"PathOnClient": "a.bin", "FirstPublishLocationId": case}, data)
    assert as_parts.status == 201, as_parts.body
    for version in (as_json, as_parts.json()["id"]):
        answer = org.call("GET", f"/sobjects/ContentVersion/{version}/VersionData")
        assert (answer.status, answer.body) == (200, data)
        assert org.get(version, "ContentVersion")["ContentSize"] == len(data)


def test_a_version_makes_a_document_linked_to_case_and_author(org: Salesforce) -> None:
    case = org.case()
    version = org.get(upload(org, case, b"hello", "Dir\\Fehler Übersicht.TXT"), "ContentVersion")
    assert (version["Title"], version["FileExtension"], version["FileType"]) == ("Fehler Übersicht", "txt", "TEXT")
    assert version["Checksum"] == "5d41402abc4b2a76b9719d911017c592"
    assert version["VersionData"] == f"{BASE}/sobjects/ContentVersion/{version['Id']}/VersionData"
    where = f"ContentDocumentId = '{version['ContentDocumentId']}'"
    links = org.found(f"SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE {where} ORDER BY ShareType")
    assert [(link["LinkedEntityId"], link["ShareType"]) for link in links] == [(AGENT, "I"), (case, "V")]
    found = org.found(
        f"SELECT ContentDocument.LatestPublishedVersionId, ContentDocument.ContentSize FROM ContentDocumentLink "
        f"WHERE LinkedEntityId = '{case}'"
    )
    assert found[0]["ContentDocument"]["LatestPublishedVersionId"] == version["Id"]


def test_a_second_version_supersedes_the_first(org: Salesforce) -> None:
    case = org.case()
    first = upload(org, case, b"one")
    document = org.get(first, "ContentVersion")["ContentDocumentId"]
    encoded = base64.b64encode(b"two, longer").decode()
    second = org.create("ContentVersion", PathOnClient="b.txt", VersionData=encoded, ContentDocumentId=document)
    rows = org.found(f"SELECT Id, VersionNumber, IsLatest FROM ContentVersion WHERE ContentDocumentId = '{document}'")
    shown = [(row["Id"], row["VersionNumber"], row["IsLatest"]) for row in rows]
    assert shown == [(first, "1", False), (second, "2", True)]
    latest = org.get(document, "ContentDocument")
    assert (latest["LatestPublishedVersionId"], latest["ContentSize"]) == (second, 11)
    assert org.call("GET", f"/sobjects/ContentVersion/{first}/VersionData").body == b"one"


def test_a_document_can_be_shown_at_another_case_once(org: Salesforce) -> None:
    first, second = org.case(), org.case()
    document = org.get(upload(org, first, b"x"), "ContentVersion")["ContentDocumentId"]
    link = {"ContentDocumentId": document, "LinkedEntityId": second, "ShareType": "V"}
    made = org.create("ContentDocumentLink", **link)
    again = org.call("POST", "/sobjects/ContentDocumentLink", link)
    assert failure(again) == (400, "DUPLICATE_VALUE")
    assert org.call("DELETE", f"/sobjects/ContentDocumentLink/{made}").status == 204
    assert org.create("ContentDocumentLink", **link) != made


def test_deleting_a_document_takes_versions_links_and_bytes(org: Salesforce) -> None:
    case = org.case()
    version = upload(org, case, b"x")
    document = org.get(version, "ContentVersion")["ContentDocumentId"]
    refused = org.call("DELETE", f"/sobjects/ContentVersion/{version}")
    assert failure(refused) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert org.call("DELETE", f"/sobjects/ContentDocument/{document}").status == 204
    assert org.call("GET", f"/sobjects/ContentVersion/{version}/VersionData").status == 404
    assert org.found(f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case}'") == []
    assert len(org.state.blobs) == 0


def test_deleting_a_case_leaves_its_documents(org: Salesforce) -> None:
    case = org.case()
    version = upload(org, case, b"x")
    assert org.call("DELETE", f"/sobjects/Case/{case}").status == 204
    assert org.call("GET", f"/sobjects/ContentVersion/{version}/VersionData").body == b"x"


def test_a_title_can_be_changed_for_version_and_document(org: Salesforce) -> None:
    version = upload(org, org.case(), b"x")
    org.update(version, "ContentVersion", Title="Better")
    document = org.get(version, "ContentVersion")["ContentDocumentId"]
    assert org.get(document, "ContentDocument")["Title"] == "Better"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"VersionData": "aGk="}, "REQUIRED_FIELD_MISSING"),
        ({"PathOnClient": "a.txt"}, "REQUIRED_FIELD_MISSING"),
        ({"PathOnClient": "a.txt", "VersionData": ""}, "REQUIRED_FIELD_MISSING"),
        ({"PathOnClient": "a.txt", "VersionData": "no base64!"}, "JSON_PARSER_ERROR"),
        ({"PathOnClient": "a.txt", "VersionData": 5}, "JSON_PARSER_ERROR"),
        ({"PathOnClient": "a.txt", "VersionData": "aGk=", "FirstPublishLocationId": "003"}, "MALFORMED_ID"),
        ({"PathOnClient": "a.txt", "VersionData": "aGk=", "ContentSize": 3}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_bad_file_is_refused(org: Salesforce, fields: dict[str, object], code: str) -> None:
    assert failure(org.call("POST", "/sobjects/ContentVersion/", fields)) == (400, code)
    assert len(org.state.blobs) == 0


def test_a_new_version_has_no_place_of_its_own(org: Salesforce) -> None:
    case = org.case()
    document = org.get(upload(org, case, b"x"), "ContentVersion")["ContentDocumentId"]
    fields = {"PathOnClient": "a", "VersionData": "aGk=", "ContentDocumentId": document}
    response = org.call("POST", "/sobjects/ContentVersion/", fields | {"FirstPublishLocationId": case})
    assert failure(response) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_file_in_json_has_a_limit_that_multipart_has_not(org: Salesforce) -> None:
    data = bytes(files.MAX_JSON_FILE + 1)
    body = {"PathOnClient": "big.bin", "VersionData": base64.b64encode(data).decode()}
    assert failure(org.call("POST", "/sobjects/ContentVersion/", body)) == (400, "FILE_SIZE_LIMIT_EXCEEDED")
    assert send_multipart(org, "ContentVersion", {"PathOnClient": "big.bin"}, data).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b7\r\n",
        b"no multipart at all",
        b'--b7\r\nContent-Disposition: form-data; name="entity_x"\r\n\r\n{\r\n--b7--',
    ],
)
def test_a_broken_multipart_body_is_a_parser_error(org: Salesforce, body: bytes) -> None:
    headers = [TOKEN, ("Content-Type", "multipart/form-data; boundary=b7")]
    response = org.send(request("POST", f"{BASE}/sobjects/ContentVersion/", headers=headers, body=body))
    assert failure(response) == (400, "JSON_PARSER_ERROR")


def test_content_that_holds_the_boundary_is_never_stored_cut(org: Salesforce) -> None:
    answer = send_multipart(org, "ContentVersion", {"PathOnClient": "a"}, b"x\r\n--+++\r\ny", boundary="+++")
    assert answer.status == 400
    assert len(org.state.blobs) == 0


def test_attachments_of_the_older_kind(org: Salesforce) -> None:
    case = org.case()
    encoded = base64.b64encode(BYTES).decode()
    made = org.create("Attachment", ParentId=case, Name="old.bin", Body=encoded, ContentType="text/html")
    answer = org.call("GET", f"/sobjects/Attachment/{made}/Body")
    assert (answer.body, answer.header("Content-Type")) == (BYTES, "text/html")
    row = org.found(f"SELECT Name, BodyLength, Body FROM Attachment WHERE ParentId = '{case}'")[0]
    assert (row["Name"], row["BodyLength"]) == ("old.bin", len(BYTES))
    assert row["Body"] == f"{BASE}/sobjects/Attachment/{made}/Body"
    org.update(made, "Attachment", Body=base64.b64encode(b"new").decode())
    assert org.call("GET", f"/sobjects/Attachment/{made}/Body").body == b"new"
    assert org.get(made, "Attachment")["BodyLength"] == 3
    assert org.call("DELETE", f"/sobjects/Attachment/{made}").status == 204
    assert org.call("GET", f"/sobjects/Attachment/{made}/Body").status == 404


def test_an_attachment_has_a_limit(org: Salesforce) -> None:
    fields = {"ParentId": org.case(), "Name": "big"}
    assert send_multipart(org, "Attachment", fields, bytes(files.MAX_ATTACHMENT)).status == 201
    assert failure(send_multipart(org, "Attachment", fields, bytes(files.MAX_ATTACHMENT + 1))) == (
        400,
        "STRING_TOO_LONG",
    )
