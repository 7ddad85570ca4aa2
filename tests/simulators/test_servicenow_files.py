"""The Attachment API: bytes up and down unchanged, names, sizes, what is refused."""

import hashlib
import json
import random

import pytest
from tests.simulators.servicenow_kit import HOST, TABLE, TOKEN, ServiceNow, error

from deskbridge.simulators.servicenow.attachments import MAX_SIZE
from deskbridge.simulators.wire import Request, Response, request, url

FILES = "/api/now/attachment"
BINARY = random.Random(7).randbytes(300_000)


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


def _upload(now: ServiceNow, sys_id: str, body: bytes, name: str = "a.bin", media: str = "image/png") -> Response:
    query = [("file_name", name), ("table_name", "incident"), ("table_sys_id", sys_id)]
    sent = request("POST", url(f"{FILES}/file", query), headers=[TOKEN, HOST, ("Content-Type", media)], body=body)
    return now.send(sent)


@pytest.mark.parametrize(
    "body", [BINARY, b"x", b"", b"--+++\r\n\r\n--+++--\r\n", "Ünïcödé \u202e👩‍🔧".encode(), b"\x00\xff" * 1000]
)
def test_bytes_come_back_as_they_went(now: ServiceNow, body: bytes) -> None:
    made = now.create()
    response = _upload(now, made["sys_id"], body)
    row = now.result(response, 201)
    assert (row["size_bytes"], row["hash"]) == (str(len(body)), hashlib.sha256(body).hexdigest())
    assert response.header("location") == f"http://127.0.0.1:8082{FILES}/{row['sys_id']}"
    assert row["download_link"] == f"http://127.0.0.1:8082{FILES}/{row['sys_id']}/file"
    down = now.call("GET", f"{FILES}/{row['sys_id']}/file")
    assert (down.status, down.body, down.header("content-type")) == (200, body, "image/png")
    assert json.loads(down.header("x-attachment-metadata"))["file_name"] == "a.bin"


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("report.pdf", "report.pdf", "report.pdf"),
        ('a"b\r\nX-Evil: 1.txt', "a_b__X-Evil: 1.txt", "a%22b%0D%0AX-Evil%3A%201.txt"),
        ("Übung 👩.txt", "_bung _.txt", "%C3%9Cbung%20%F0%9F%91%A9.txt"),
    ],
)
def test_names_are_kept_and_cannot_break_the_header(now: ServiceNow, name: str, plain: str, encoded: str) -> None:
    row = now.result(_upload(now, now.create()["sys_id"], b"x", name), 201)
    assert row["file_name"] == name
    down = now.call("GET", f"{FILES}/{row['sys_id']}/file")
    assert down.header("content-disposition") == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_a_media_type_that_is_none_becomes_bytes(now: ServiceNow) -> None:
    row = now.result(_upload(now, now.create()["sys_id"], b"x", media="text/x\r\nX-Evil: 1"), 201)
    assert row["content_type"] == "application/octet-stream"


def test_listing_by_record_with_total(now: ServiceNow) -> None:
    mine, other = now.create(), now.create()
    for name in ("1.txt", "2.txt", "3.txt"):
        _upload(now, mine["sys_id"], b"x", name)
    _upload(now, other["sys_id"], b"x", "other.txt")
    query = f"table_name=incident^table_sys_id={mine['sys_id']}^ORDERBYDESCfile_name"
    response = now.call("GET", "/api/now/v1/attachment", None, query=query, limit="2")
    assert [row["file_name"] for row in response.json()["result"]] == ["3.txt", "2.txt"]
    assert response.header("x-total-count") == "3"
    assert error(now.call("GET", FILES, None, query="bunk=1"))[1] == "Invalid query"


def test_the_table_api_lists_and_deletes_but_does_not_make_them(now: ServiceNow) -> None:
    made = now.create()
    row = now.result(_upload(now, made["sys_id"], b"x"), 201)
    assert [found["file_name"] for found in now.find(f"table_sys_id={made['sys_id']}", "sys_attachment")] == ["a.bin"]
    assert now.call("POST", f"{TABLE}/sys_attachment", {"file_name": "x"}).status == 403
    assert now.call("DELETE", f"{TABLE}/sys_attachment/{row['sys_id']}").status == 204
    assert now.call("GET", f"{FILES}/{row['sys_id']}/file").status == 404


def test_deleting_forgets_the_bytes(now: ServiceNow) -> None:
    made = now.create()
    row = now.result(_upload(now, made["sys_id"], b"x"), 201)
    assert len(now.state.blobs) == 1
    assert now.call("DELETE", f"{FILES}/{row['sys_id']}").status == 204
    assert len(now.state.blobs) == 0
    assert now.call("DELETE", f"{FILES}/{row['sys_id']}").status == 404
    _upload(now, made["sys_id"], b"x")
    now.call("DELETE", f"{TABLE}/incident/{made['sys_id']}")
    assert len(now.state.blobs) == 0


def test_an_attachment_does_not_touch_its_incident(now: ServiceNow) -> None:
    made = now.create()
    now.clock.advance(5)
    _upload(now, made["sys_id"], b"x")
    assert now.get(made)["sys_mod_count"] == "0"


def test_too_large_is_413_however_it_arrives(now: ServiceNow) -> None:
    made = now.create()
    whole = _upload(now, made["sys_id"], b"x" * (MAX_SIZE + 1))
    assert error(whole)[0] == 413
    assert "com.glide.attachment.max_size" in (error(whole)[2] or "")
    query = [("file_name", "a"), ("table_name", "incident"), ("table_sys_id", made["sys_id"])]
    headers = {"authorization": "Bearer desk-token", "host": "x"}
    cut = now.send(Request("POST", f"{FILES}/file", query, headers, b"head", truncated=True))
    assert error(cut)[0] == 413
    assert now.find("", "sys_attachment") == []


def test_what_cannot_be_attached(now: ServiceNow) -> None:
    made = now.create()
    assert error(_upload(now, "0" * 32, b"x"))[0] == 404
    assert error(_upload(now, made["sys_id"], b"x", name=""))[2] == "file_name is required"
    elsewhere = now.call("POST", f"{FILES}/file?file_name=a&table_name=bunk&table_sys_id=x", {})
    assert error(elsewhere)[1] == "Invalid table bunk"


def test_upload_as_a_form(now: ServiceNow) -> None:
    made = now.create()
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="table_name"\r\n\r\nincident\r\n',
        b'--b\r\nContent-Disposition: form-data; name="table_sys_id"\r\n\r\n' + made["sys_id"].encode() + b"\r\n",
        b'--b\r\nContent-Disposition: form-data; name="uploadFile"; filename="x.bin"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + BINARY + b"\r\n",
        b"--b--\r\n",
    ]
    headers = [TOKEN, HOST, ("Content-Type", "multipart/form-data; boundary=b")]
    row = now.result(now.send(request("POST", f"{FILES}/upload", headers=headers, body=b"".join(parts))), 201)
    assert (row["file_name"], row["content_type"]) == ("x.bin", "application/pdf")
    assert now.call("GET", f"{FILES}/{row['sys_id']}/file").body == BINARY
    without = now.send(request("POST", f"{FILES}/upload", headers=headers, body=parts[0] + parts[3]))
    assert error(without)[2] == "File part might be missing in the request"
    broken = now.send(request("POST", f"{FILES}/upload", headers=headers, body=parts[0]))
    assert error(broken)[1] == "Failed to create the attachment"
