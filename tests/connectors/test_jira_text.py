"""Jira's rich text and Markdown, both ways: what is equal, what is a fixpoint, and what is owned up to as lost."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.connectors.jira.adf import from_markdown
from deskbridge.connectors.jira.richtext import from_remote, to_markdown, to_remote
from deskbridge.simulators.jira import adf as jira_adf
from deskbridge.simulators.jira import wiki as jira_wiki

_PIECES = (
    *("*", "**", "_", "`", "```", "~~", "[", "](", "]", ")", "(", "<", ">", "&amp;", "&", "#", "# ", "- ", "* ", "1. "),
    *("2) ", "> ", "\n", "\n\n", "    ", "  ", "\t", "|", "---", "===", "\\", "!", "a", "b c", "word", "é", "👩‍💻"),
    *(
        "http://x.y/z",
        "<http://a.b>",
        "![i](u)",
        '[l](u "t")',
        "~~~",
        "+ ",
        "\\\n",
        "|a|b|\n|-|-|\n|1|2|\n",
        "\xa0",
        ":",
    ),
)
_WIKI_PIECES = (
    *(
        "*",
        "_",
        "-",
        "+",
        "{{",
        "}}",
        "[",
        "|",
        "]",
        "h1. ",
        "bq. ",
        "* ",
        "# ",
        "** ",
        "----",
        "||",
        "{code}",
        "{quote}",
    ),
    *(
        "{noformat}",
        "{code:java}",
        "{color:red}",
        "{color}",
        "\\",
        "\\\\",
        "!",
        "?",
        "~",
        "^",
        "\n",
        "\n\n",
        " ",
        "a",
        "é",
    ),
    *("[~u]", "[l|http://x.y]", "&#35;", "!i.png!", "shalom שלום", "{panel:title=x}", "{panel}"),
)
MARKDOWN = st.lists(st.sampled_from(_PIECES), max_size=14).map("".join) | st.text(max_size=40)
WIKI = st.lists(st.sampled_from(_WIKI_PIECES), max_size=14).map("".join) | st.text(max_size=40)


@settings(deadline=None)
@given(MARKDOWN)
def test_a_document_made_from_markdown_is_written_as_markdown_that_means_the_same(text: str) -> None:
    document = from_markdown(text)
    written, is_lossy = to_markdown(document)
    assert from_markdown(written) == document
    assert not is_lossy
    assert jira_adf.is_valid(document)


@pytest.mark.parametrize("is_cloud", [True, False])
@settings(deadline=None)
@given(MARKDOWN)
def test_one_pass_through_jira_is_a_fixpoint(is_cloud: bool, text: str) -> None:  # 13
    once, _ = from_remote(to_remote(text, is_cloud=is_cloud))
    again, is_lossy = from_remote(to_remote(once, is_cloud=is_cloud))
    assert again == once
    assert not is_lossy


@settings(deadline=None)
@given(WIKI)
def test_wiki_text_that_people_wrote_is_stable_once_it_is_markdown(text: str) -> None:
    once, _ = from_remote(text)
    again, _ = from_remote(to_remote(once, is_cloud=False))
    assert from_remote(to_remote(again, is_cloud=False))[0] == again


def _texts() -> st.SearchStrategy[dict[str, Any]]:
    marks = [{"type": kind} for kind in ("strong", "em", "strike", "underline")]
    marks += [{"type": "link", "attrs": {"href": href}} for href in ("http://x/(y)", "a b", "javascript:alert(1)")]
    text = st.text(alphabet="ab *_`~[]()<>|\\#-+.1&;:/!\n \xa0é🙂", min_size=1, max_size=8)
    chosen = st.lists(st.sampled_from(marks), max_size=2, unique_by=lambda mark: mark["type"])
    return st.builds(lambda words, given: {"type": "text", "text": words, "marks": given}, text, chosen)


def _inline() -> st.SearchStrategy[list[dict[str, Any]]]:
    others: list[dict[str, Any]] = [
        {"type": "hardBreak"},
        {"type": "mention", "attrs": {"id": "1", "text": "@Maria"}},
        {"type": "emoji", "attrs": {"shortName": ":x:", "text": "🙂"}},
        {"type": "inlineCard", "attrs": {"url": "http://c"}},
        {"type": "text", "text": "a`b", "marks": [{"type": "code"}]},
        {"type": "date", "attrs": {"timestamp": "1700000000000"}},
        {"type": "never heard of", "attrs": {}},
    ]
    return st.lists(_texts() | st.sampled_from(others), max_size=4)


def _blocks(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    item = st.builds(lambda content: {"type": "listItem", "content": content}, st.lists(inner, max_size=3))
    cell = st.builds(
        lambda content, kind: {"type": kind, "content": content},
        st.lists(inner, max_size=2),
        st.sampled_from(["tableCell", "tableHeader"]),
    )
    row = st.builds(lambda cells: {"type": "tableRow", "content": cells}, st.lists(cell, max_size=3))
    kinds = st.sampled_from(["blockquote", "panel", "expand", "layoutSection"])
    return (
        st.builds(
            lambda kind, items, order: {"type": kind, "content": items, "attrs": {"order": order}},
            st.sampled_from(["bulletList", "orderedList"]),
            st.lists(item, max_size=3),
            st.sampled_from([1, 1, 3, 0]),
        )
        | st.builds(
            lambda kind, content: {"type": kind, "content": content, "attrs": {"title": "T"}},
            kinds,
            st.lists(inner, max_size=3),
        )
        | st.builds(lambda rows: {"type": "table", "content": rows}, st.lists(row, max_size=3))
    )


def _documents() -> st.SearchStrategy[dict[str, Any]]:
    leaf = (
        st.builds(lambda content: {"type": "paragraph", "content": content}, _inline())
        | st.builds(lambda content: {"type": "heading", "attrs": {"level": 2}, "content": content}, _inline())
        | st.sampled_from([{"type": "rule"}, {"type": "mediaSingle", "content": [{"type": "media", "attrs": {}}]}])
    )
    blocks = st.recursive(leaf, _blocks, max_leaves=8)
    return st.lists(blocks, max_size=4).map(lambda content: {"type": "doc", "version": 1, "content": content})


@settings(deadline=None)
@given(_documents())
def test_whatever_document_jira_holds_becomes_markdown_that_is_stable(document: dict[str, Any]) -> None:  # 13
    text, _ = to_markdown(document)
    again, is_lossy = to_markdown(from_markdown(text))
    assert again == text
    assert not is_lossy


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two lines\nof one paragraph",
        "a < b & c, snake_case, 5 * 3, [not a link], 100 %",
        "# Title\n\n- one\n  - two\n\n1. first\n2. second",
        "**bold *and italic*** ~~gone~~ `code` [link](https://example.org/a_b)",
        "> quoted\n>\n> - list",
        "```python\nx = *1*\n\ny\n```",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "before\n\n---\n\nafter",
        "- one\n\n  more of it\n\n- two",
        "see <https://x.y/> and **<https://x.y/a_b>**",
        "שלום עולם 👩‍💻 Grüße",
    ],
)
def test_what_people_commonly_write_comes_back_as_it_was(text: str) -> None:
    assert from_remote(to_remote(text, is_cloud=True)) == (text, False)


@pytest.mark.parametrize(
    ("block", "markdown"),
    [
        ({"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "5b", "text": "@Maria"}}]}, "@Maria"),
        (
            {"type": "panel", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Note"}]}]},
            "> Note",
        ),
        ({"type": "paragraph", "content": [{"type": "text", "text": "x", "marks": [{"type": "underline"}]}]}, "x"),
        (
            {
                "type": "taskList",
                "content": [
                    {"type": "taskItem", "attrs": {"state": "DONE"}, "content": [{"type": "text", "text": "t"}]}
                ],
            },
            "- [x] t",
        ),
        ({"type": "mediaSingle", "content": [{"type": "media", "attrs": {"alt": "shot.png"}}]}, "shot.png"),
        ({"type": "expand", "attrs": {"title": "More"}, "content": [{"type": "rule"}]}, "**More**\n\n---"),
        ({"type": "blockCard", "attrs": {"url": "https://x.y/"}}, "<https://x.y/>"),
        (
            {
                "type": "paragraph",
                "content": [
                    {"type": "text", "text": "go", "marks": [{"type": "link", "attrs": {"href": "javascript:x()"}}]}
                ],
            },
            "go",
        ),
    ],
)
def test_what_markdown_cannot_say_keeps_its_words_and_is_owned_up_to(block: dict[str, Any], markdown: str) -> None:
    assert to_markdown({"type": "doc", "version": 1, "content": [block]}) == (markdown, True)


@pytest.mark.parametrize("is_cloud", [True, False])
@pytest.mark.parametrize("text", [">" * 200 + " deep", "".join(f"{'  ' * depth}- deep\n" for depth in range(80))])
def test_what_is_nested_beyond_reason_keeps_its_words(text: str, is_cloud: bool) -> None:
    remote = to_remote(text, is_cloud=is_cloud)
    assert not is_cloud or jira_adf.is_valid(remote)
    assert from_remote(remote)[0].count("deep") == text.count("deep")


def test_emphasis_markdown_cannot_end_loses_its_form_not_its_words() -> None:
    nodes = [{"type": "text", "text": "a.", "marks": [{"type": "strong"}]}, {"type": "text", "text": "b"}]
    text, _ = to_markdown({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": nodes}]})
    assert text == "a.b"


@pytest.mark.parametrize(
    ("text", "wiki"),
    [
        ("# Title", "h1. Title"),
        ("**b** *i* ~~s~~ `c`", "*b* _i_ -s- {{c}}"),
        ("- one\n  - two\n    1. three", "* one\n** two\n**# three"),
        ("[a](https://x.y)", "[a|https://x.y]"),
        ("```java\nx\n```", "{code:java}\nx\n{code}"),
        ("> q", "{quote}\nq\n{quote}"),
        ("| a |\n| --- |\n| 1 |", "||a||\n|1|"),
        ("\\*no\\* snake_case \\[x\\]", "\\*no\\* snake\\_case &#91;x&#93;"),
        ("\\# no list", "&#35; no list"),
        ("b c! h 1. # 5", "b c! h 1. # 5"),
        ("bq. h1. \\*x\\*", "&#98;q. h1. \\*x\\*"),
        ("`code` {code}\n\n```\nx\n```", "{{code}} \\{code\\}\n\n{code}\nx\n{code}"),
    ],
)
def test_wiki_text_is_written_as_jira_reads_it(text: str, wiki: str) -> None:
    assert to_remote(text, is_cloud=False) == wiki
    assert from_remote(wiki) == (from_remote(to_remote(text, is_cloud=True))[0], False)


@pytest.mark.parametrize(
    "wiki", ["+under+", "{color:red}x{color}", "[~mrossi] hello", "!shot.png!", "{panel}x{panel}", "x ^2^"]
)
def test_wiki_mark_up_that_is_lost_is_owned_up_to(wiki: str) -> None:
    assert from_remote(wiki)[1]


@settings(deadline=None)
@given(MARKDOWN.filter(lambda text: "```" not in text and "~~~" not in text))  # a fence's language is no text
def test_jira_reads_our_wiki_text_without_losing_a_word(text: str) -> None:
    ours = to_remote(text, is_cloud=False) or ""
    words = [word for word in ("word", "b c", "é") if word in from_remote(ours)[0]]
    assert [word for word in words if word not in jira_adf.plain(jira_wiki.to_adf(ours))] == []
