"""Markdown and an instance's plain text: nothing is lost unheard, and a second pass changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.connectors.plaintext import tidy, to_markdown, to_plain
from deskbridge.connectors.servicenow.journal import LONGEST, entries, together, unmarked
from deskbridge.connectors.servicenow.richtext import from_journal, to_journal

_PIECES = [
    *"ab \n*_`[]()<>&;#-+=~!|\\.1)\t:/\u00a0é😀",
    *("\n\n", "    ", "```", "**", "- ", "1. ", "> ", "<b>", "&amp;", "http://x.y", "[a](b)", "![i](s)"),
    *("<http://z.w>", "\\\n", "  \n", "שלום", "[code]", "[/code]", "[desk:a]"),
]
TEXTS = st.lists(st.sampled_from(_PIECES), max_size=25).map("".join) | st.text()


@settings(deadline=None)
@given(TEXTS)
def test_a_plain_text_comes_back_as_it_was(text: str) -> None:
    assert to_plain(to_markdown(text)) == tidy(text)


@settings(deadline=None)
@given(TEXTS)
def test_one_pass_is_enough(markdown: str) -> None:
    once = to_markdown(to_plain(markdown))
    assert to_markdown(to_plain(once)) == once


@settings(deadline=None)
@given(TEXTS)
def test_one_pass_is_enough_for_journals_and_none_of_ours_switches_to_html(markdown: str) -> None:
    entry = to_journal(markdown)
    assert "[code]" not in entry.lower()
    once, is_lossy = from_journal(entry)
    assert not is_lossy
    assert from_journal(to_journal(once))[0] == once


@given(st.text(alphabet="ab \n", max_size=3 * LONGEST, min_size=LONGEST - 50) | st.text())
@settings(deadline=None, max_examples=50)
def test_the_entries_of_a_text_are_the_text(text: str) -> None:
    parts = entries(text, "M-1")
    assert all(len(part) <= LONGEST for part in parts)
    rows = [
        {"sys_id": str(at), "element": "comments", "value": part, "sys_created_by": "desk"}
        for at, part in enumerate(parts)
    ]
    (said,) = together(reversed(rows), "desk")
    assert (said.text, said.key) == (text, "M-1")


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Steps:\n\n1. open\n2. click", "Steps:\n\n1. open\n2. click"),
        ("**Please** run `x`", "**Please** run `x`"),
        ("see https://x.y/a_b_c?d=1&e=2", "see https://x.y/a_b_c?d=1&e=2"),
        ("use *.log and *.txt", "use *.log and *.txt"),
        ("a < b & c", "a < b & c"),
        ("first\nsecond", "first\\\nsecond"),
        ("__init__ and <b>", "\\_\\_init\\_\\_ and \\<b\\>"),
        ("    at Foo.bar", "&nbsp;&nbsp;&nbsp;&nbsp;at Foo.bar"),
        ("# not a title\nof ours", "\\# not a title\\\nof ours"),
    ],
)
def test_a_text_shows_as_it_shows_in_the_instance(text: str, markdown: str) -> None:
    assert to_markdown(text) == markdown


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("_soft_ and __strong__", "*soft* and **strong**"),
        ("* one\n* two", "- one\n- two"),
        ("<https://x.y>", "https://x.y"),
        ("a\\*b &lt;", "a*b <"),
        ("Title\n=====", "# Title"),
        ("> - one\n>   more", "> - one\n>   more"),
        ("~~~\nx  = 1\n~~~", "```\nx  = 1\n```"),
    ],
)
def test_markdown_is_written_for_people(markdown: str, text: str) -> None:
    assert to_plain(markdown) == text


def test_html_in_a_journal_is_text_and_said_to_be_lossy() -> None:
    entry = "Before [code]<p>One &amp; <b>two</b></p><script>x()</script><p>three</p>[/code]"
    assert from_journal(entry) == ("Before One & two\\\nthree", True)


def test_a_mark_counts_in_the_last_line_only() -> None:
    assert unmarked("quoted\n\n[desk:M-1]\n\nand more")[1] is None
    text, mark = unmarked("quoted\r\n\r\n[desk:M-1 2/3]\r\n")
    assert mark is not None
    assert (text, mark.key, mark.part, mark.of) == ("quoted", "M-1", 2, 3)
