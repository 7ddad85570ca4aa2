"""Wiki text and documents, and the ways between them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.jira_kit import document, paragraph

from deskbridge.simulators.jira import adf, adf_html, wiki

TEXTS = [
    "plain",
    "two\nlines",
    "one\n\ntwo",
    "h2. Heading\n\ntext",
    "a *bold* and _slanted_ and -gone- and +under+ and {{code}}",
    "* one\n** nested\n* two",
    "# first\n# second",
    "{code:python}\nx = 1\n\ny = 2\n{code}",
    "{quote}\nquoted\n{quote}",
    "----",
    "[Deskbridge|https://example.org/a]",
    "[~accountid:5b10a2844c20165700ede21f] look",
    "||Name||Value||\n|a|b|",
]


@pytest.mark.parametrize("text", TEXTS)
def test_wiki_text_survives_the_way_through_a_document(text: str) -> None:
    assert adf.to_wiki(wiki.to_adf(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_wiki_text_becomes_is_a_valid_document(text: str) -> None:
    assert adf.is_valid(wiki.to_adf(text))


def test_marks_and_links() -> None:
    content = wiki.to_adf("*bold [site|https://example.org]*")["content"][0]["content"]
    assert [node["text"] for node in content] == ["bold ", "site"]
    assert [mark["type"] for mark in content[1]["marks"]] == ["strong", "link"]


@pytest.mark.parametrize(
    "text", ["2 * 3 * 4", "snake_case_name", "a-b-c", "C:\\temp\\*", "{not code}", "[brackets]", "*bold*"]
)
def test_plain_text_in_a_document_stays_plain(text: str) -> None:
    shown = adf.to_wiki(document(paragraph(text)))
    assert wiki.to_adf(shown) == document(paragraph(text))


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_wiki_text_gives_a_valid_document(text: str) -> None:
    made = wiki.to_adf(text)
    assert adf.is_valid(made)
    assert adf.is_valid(wiki.to_adf(adf.to_wiki(made)))
    assert "<script" not in adf_html.render(made)


@pytest.mark.parametrize(
    "unit", ["*", "_a ", "{{", "[", "[a|", "{code}", "\\", "h1. ", "|", "* a\n", "**** b\n# c\n", "-x"]
)
def test_the_longest_wiki_text_of_anything_is_read(unit: str) -> None:
    text = unit * (32767 // len(unit))
    made = wiki.to_adf(text)
    assert adf.is_valid(made)
    assert len(adf.plain(made)) <= len(text)


def test_deep_documents_are_refused() -> None:
    node: dict[str, object] = {"type": "paragraph", "content": []}
    for _ in range(500):
        node = {"type": "blockquote", "content": [node]}
    assert not adf.is_valid(document(node))


def test_links_lead_to_the_web_only() -> None:
    for href, shown in (("https://example.org/?a=1&b=2", True), ("javascript:alert(1)", False)):
        mark = {"type": "link", "attrs": {"href": href}}
        text = {"type": "text", "text": "<here>", "marks": [mark]}
        html = adf_html.render(document({"type": "paragraph", "content": [text]}))
        assert ("href" in html) == shown
        assert "&lt;here&gt;" in html


def test_signs_may_be_written_by_their_numbers() -> None:
    (node,) = wiki.to_adf("&#91;not a link&#93; &#38;#91; &#;")["content"][0]["content"]
    assert node == {"type": "text", "text": "[not a link] &#91; &#;"}
    assert wiki.to_adf(adf.to_wiki(wiki.to_adf("&#38;#91;"))) == wiki.to_adf("&#38;#91;")
