"""Text on its way to a case and back, and comments that are too long for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskbridge.connectors.plaintext import tidy
from deskbridge.connectors.salesforce.richtext import MAX_COMMENT, joined, marked, to_markdown, to_plain, unmarked

TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(list("\n *_`#->[]()<&1.\\😀é\u200dא"))),
    max_size=300,
)


@given(TEXTS)
@example("1) not a list\n2) of ours")
@example("a * b * c, snake_case, <tag> & [desk M-1]")
def test_a_persons_text_stays_as_it_is(text: str) -> None:
    once = to_plain(to_markdown(text))
    assert once == tidy(text.strip()).strip()
    assert to_plain(to_markdown(once)) == once


@given(TEXTS)
@example("Some **bold** and `code`.\n\n- one\n- two\n\n```\nx = 1\n```")
def test_markdown_settles_after_one_pass(markdown: str) -> None:
    settled = to_markdown(to_plain(markdown))
    assert to_markdown(to_plain(settled)) == settled


@given(TEXTS.map(str.strip), st.from_regex(r"[A-Za-z0-9_.:-]{1,40}", fullmatch=True))
def test_a_comments_text_comes_back_with_its_marker(text: str, marker: str) -> None:
    text = to_plain(text)
    parts = [unmarked(body) for body in marked(text, marker)]
    assert joined(parts) == text
    assert {part.marker for part in parts} == {marker}


@given(st.lists(TEXTS, min_size=1, max_size=8), st.integers(1, 60), st.booleans())
@example(["👩‍💻 שלום עולם é́ "], 300, False)
@example(["x" * 300], 50, True)
def test_a_long_comment_is_divided_and_never_cut(pieces: list[str], times: int, with_blanks: bool) -> None:
    text = to_plain(("\n\n    " if with_blanks else "").join(pieces * times))
    bodies = marked(text, "M-1")
    assert all(len(body.replace("\n", "\r\n").encode()) <= MAX_COMMENT for body in bodies)
    assert all(body == body.strip() for body in bodies)  # Salesforce would take blanks around it away
    stored = [body.replace("\n", "\r\n") for body in reversed(bodies)]
    assert joined([unmarked(body) for body in stored]) == text


def test_a_long_comment_is_divided_between_words() -> None:
    words = [f"word{number}" for number in range(2000)]
    parts = [unmarked(body).text for body in marked(" ".join(words), "M-1")]
    assert len(parts) > 3
    assert [word for part in parts for word in part.split()] == words


def test_what_shows_as_one_character_stays_in_one_part() -> None:
    for one in ("👩‍💻", "e\u0301\u0323"):
        for shift in range(12):
            parts = [unmarked(body).text for body in marked("x" * shift + one * 2000, "M-1")]
            assert len(parts) > 1
            assert not [part for part in parts if part[0] in "\u0301\u0323\u200d" or part.endswith("\u200d")]


def test_a_marker_with_blanks_or_brackets_is_none() -> None:
    for marker in ("", "a b", "a]b", "x" * 121):
        with pytest.raises(ValueError, match="marker"):
            marked("text", marker)
