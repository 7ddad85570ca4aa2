"""What a file is: its name and its content have to agree, and nothing that could explode gets in."""

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sample_files import EXE, GIF, JPEG, OLE, PDF, archive, document, png

from deskbridge.kit.errors import Invalid, UnsupportedMedia
from deskbridge.kit.filetypes import INLINE, NAME_LENGTH, TYPES, clean_name, file_type

GOOD = {
    "pdf": PDF,
    "doc": OLE,
    "docx": document("word"),
    "txt": "Grüße".encode(),
    "png": png(),
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": GIF,
    "xls": OLE,
    "xlsx": document("xl"),
    "csv": b"a;b\n1;2\n",
    "zip": archive({"a.txt": b"hello"}),
    "log": b"2026-11-21 started\n",
    "json": b' {"a": 1}',
    "xml": b'<?xml version="1.0"?><a/>',
}


def test_every_kind_that_is_promised_is_taken() -> None:
    assert set(GOOD) == set(TYPES)
    for extension, content in GOOD.items():
        assert file_type(f"Some file.{extension.upper()}", io.BytesIO(content)) is TYPES[extension]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.png", EXE),
        ("letter.pdf", b"<html><script>alert(1)</script>"),
        ("letter.docx", archive({"evil.exe": EXE})),
        ("table.xlsx", document("word")),
        ("notes.txt", EXE),
        ("notes.txt", b"\xef\xbb\xbf <!DOCTYPE html><p>"),
        ("data.json", b"alert(1)"),
        ("data.xml", b"no markup"),
        ("photo.jpg", png()),
        ("photo.jpg", b"\xff\xd8\xff"),
        ("archive.zip", b"PK\x03\x04 but no directory"),
        ("run.exe", EXE),
        ("page.svg", b"<svg/>"),
        ("page.html", b"<p>"),
        ("noname", b"text"),
        ("double.pdf.exe", PDF),
    ],
)
def test_what_is_not_what_it_says_is_refused_by_name(name: str, content: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match=name):
        file_type(name, io.BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xc0\x00\x00",
        b"\xff\xd8\xff\xc0\x00\x03\x08",
        b"\xff\xd8\xff\xe0\x00\x00" + b"\xff" * 100,
        b"\xff\xd8\xff\xe0\x00\x01" * 50,
        b"\xff\xd8\xff",
    ],
)
def test_a_picture_that_breaks_off_is_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        file_type("a.jpg", io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("huge.png", png(30_000, 30_000), "30000 × 30000"),
        ("huge.gif", b"GIF89a\xff\xff\xff\xff;", "65535 × 65535"),
        ("bomb.zip", archive({"zeros": b"\x00" * 20_000_000}), "far more"),
        ("bomb.xml", b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>', "entities"),
        ("late.xml", b"<a>" + b" " * 300_000 + b"<!EnTiTy b 'x'>", "entities"),
        ("empty.txt", b"", "empty"),
    ],
)
def test_what_could_explode_is_refused_unopened(name: str, content: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        file_type(name, io.BytesIO(content))
    assert [error.field for error in refused.value.errors] == ["file"]


def test_pictures_alone_are_shown_inside_a_page() -> None:
    assert {"image/png", "image/jpeg", "image/gif"} == INLINE


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Rechnung.pdf", "Rechnung.pdf"),
        ("in\u200bvis\u202eible\x00.txt", "invisible.txt"),
        ("  two   spaces .txt ", "two spaces .txt"),
        ("e\u0301t\u00e9.txt", "été.txt"),
        ('a<b>"c".txt', "a_b__c_.txt"),
    ],
)
def test_names_are_made_plain(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept


@pytest.mark.parametrize("name", ["", "...", "\u200b", "a/..", "\x00\x01"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="no name"):
        clean_name(name)


@given(st.text(min_size=1, max_size=400))
def test_no_name_leaves_its_folder_or_grows(name: str) -> None:
    try:
        kept = clean_name(name)
    except Invalid:
        return
    assert 0 < len(kept) <= NAME_LENGTH
    assert not set(kept) & set('/\\\x00\n\r"')
    assert kept == clean_name(kept)


@given(st.binary(max_size=300), st.sampled_from(sorted(TYPES)))
def test_any_bytes_get_an_answer(content: bytes, extension: str) -> None:
    file = io.BytesIO(content)
    with contextlib.suppress(Invalid, UnsupportedMedia):
        assert file_type(f"a.{extension}", file) is TYPES[extension]
    assert file.tell() == 0
