"""Long texts in pieces."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.connectors.pieces import pieces

LINES = st.lists(st.sampled_from(["", "word", "x" * 70, "a " * 200, "y" * 600, "```", "~~~~", "    code"]), max_size=30)


@settings(deadline=None)
@given(LINES.map("\n".join))
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    made = pieces(text, 400)
    assert all(len(piece) <= 400 for piece in made)
    assert _letters("".join(made)) == _letters(text)


def _letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalpha())


def test_a_short_text_stays_as_it_is() -> None:
    assert pieces("a\nb", 200) == ["a\nb"]


def test_code_that_is_cut_stays_code() -> None:
    lines = [f"line {number}" for number in range(100)]
    made = pieces("before\n```sh\n" + "\n".join(lines) + "\n```\nafter", 300)
    assert len(made) > 2
    assert all(piece.startswith("```sh\n") for piece in made[1:])
    assert all(piece.endswith("\n```") for piece in made[:-1])
    assert [line for piece in made for line in piece.split("\n") if line.startswith("line")] == lines
    assert made[-1].endswith("```\nafter")
