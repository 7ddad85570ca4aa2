"""Rich text as a tree, and Markdown both ways: what is written means what was meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.connectors.markdown_writer import to_markdown
from deskbridge.connectors.richtext import from_markdown, in_one_line, texts_in

_PIECES = (
    *("*", "**", "_", "`", "```", "~~", "[", "](", "]", ")", "(", "<", ">", "&amp;", "&", "#", "# ", "- ", "* ", "1. "),
    *("2) ", "> ", "\n", "\n\n", "    ", "  ", "\t", "|", "---", "===", "\\", "!", "a", "b c", "word", "é", "👩‍💻"),
    *("http://x.y/z", "<http://a.b>", "![i](u)", '[l](u "t")', "~~~", "+ ", "\\\n", "|a|b|\n|-|-|\n|1|2|\n", "\xa0"),
)
MARKDOWN = st.lists(st.sampled_from(_PIECES), max_size=14).map("".join) | st.text(max_size=40)


@settings(deadline=None)
@given(MARKDOWN)
def test_what_was_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    tree = from_markdown(text)
    written, is_less = to_markdown(tree)
    assert from_markdown(written) == tree
    assert not is_less


@pytest.mark.parametrize(
    "text",
    [
        "- > quoted in an item\n\n- # a heading in one\n\n- ___",
        "> | a | b |\n> | --- | --- |\n> | 1 | 2 |",
        "**![plan](https://x.y/plan.png)** and [![badge](https://x.y/b.svg)](https://x.y/)",
        '[title](https://x.y "told") <https://x.y/>',
        "***both* bold** **~~gone~~** **`code`**",
        "-\n- after an empty one",
    ],
)
def test_what_people_write_comes_back_as_it_was(text: str) -> None:
    assert to_markdown(from_markdown(text)) == (text, False)


def test_the_texts_of_blocks_are_their_words_without_their_form() -> None:
    tree = from_markdown("# One\n\n- two\n  > three\n\n| a | b |\n| --- | --- |\n| | 2 |\n\n```\nx\ny\n```")
    lines = ["".join(node["text"] for node in in_one_line([text])) for text in texts_in(tree["content"])]
    assert lines == ["One", "two", "three", "a | b", "2", "x y"]
