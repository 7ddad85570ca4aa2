"""Markdown and Polarion's HTML: nothing is lost unheard, and a second pass changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.connectors.polarion.durations import amount_of, minutes_of
from deskbridge.connectors.polarion.richtext import to_html, to_markdown

_MARKS = [
    *"ab \n*_`[]()<>&#-+=~!|\\.:é😀\u00a0\u3000\t",
    *("\n\n", "    ", "```", "**", "~~", "- ", "* ", "1. ", "2) ", "> ", "## ", "| --- |", "---", "===", "<b>"),
    *("&amp;", "http://x.y", "<http://z.w>", "[a](b)", "![i](http://a/b)", "\\\n", "  \n", "שלום", "javascript:"),
]
_TAGS = [
    *("<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<ul>", "</ul>", "<ol>", "</ol>", "<li>", "</li>", "<br/>", "<hr>"),
    *("<pre>", "</pre>", "<code>", "</code>", "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<th>", "</th>"),
    *("<a href='http://x'>", "<a href='javascript:x'>", "</a>", "<div>", "</div>", "<blockquote>", "</blockquote>"),
    *("<h2>", "</h2>", "<img src='http://a/b' alt='x'>", "<img src='workitemimg:1-a.png'>", "<script>x</script>"),
    *("<span style='font-weight: bold;'>", "<span style='color: red;'>", "</span>", "text", "*", "_ ", " ", "&nbsp;"),
    *("&lt;", "-", "1.", "\n", "`", "[x]", "<", ">", "\x00", "&#0;"),
]
MARKDOWN = st.lists(st.sampled_from(_MARKS), max_size=25).map("".join) | st.text(max_size=80)
HTML = st.lists(st.sampled_from(_TAGS), max_size=25).map("".join) | st.text(max_size=80)


@settings(deadline=None)
@given(MARKDOWN)
def test_one_pass_is_enough(markdown: str) -> None:
    once, _ = to_markdown(to_html(markdown))
    assert to_markdown(to_html(once)) == (once, False)


@settings(deadline=None)
@given(HTML)
def test_what_people_wrote_is_read_once_and_for_all(html: str) -> None:
    once, _ = to_markdown(html)
    assert to_markdown(to_html(once)) == (once, False)


@settings(deadline=None)
@given(st.text())
def test_plain_text_keeps_every_word(text: str) -> None:
    markdown, _ = to_markdown(text, is_html=False)
    again, _ = to_markdown(to_html(markdown))
    assert again == markdown


@settings(deadline=None)
@given(MARKDOWN)
def test_nothing_that_could_run_goes_out(markdown: str) -> None:
    html = to_html(f"{markdown}\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))")
    assert "<script" not in html
    assert 'href="javascript' not in html


@pytest.mark.parametrize(
    "markdown",
    [
        "Some **bold**, *soft*, ~~gone~~ and `code`.",
        "first\nsecond\n\nthird",
        "- one\n- two\n  - deeper\n\n1. a\n2. b",
        "> quoted\n>\n> - and listed",
        "```sql\nSELECT 1;\n\n-- `x`\n```",
        "| a | b |\n| --- | --- |\n| 1 | **2** |",
        "## Title\n\n---\n\nEnd",
        "[a link](https://x.y/a_b?c=1&d=2) and <https://x.y/>",
        "![plan](https://x.y/plan.png)",
        "a < b & c, 2 * 3, snake_case, 👩‍💻 שלום",
        "3. three\n4. four",
    ],
)
def test_formatting_goes_there_and_back(markdown: str) -> None:
    assert to_markdown(to_html(markdown)) == (markdown, False)


@pytest.mark.parametrize(
    ("html", "markdown", "is_lossy"),
    [
        ('<span style="font-weight: bold;">Urgent</span>: call', "**Urgent**: call", False),
        ('<p><b>bold </b><i>and</i></p><p>&nbsp;</p><p>end</p>', "**bold** *and*\n\nend", False),
        ("one<br/>two<br/><br/>three", "one\ntwo\n\nthree", False),
        ('<span style="color: red;">red</span>', "red", True),
        ("<u>under</u>", "under", True),
        ('<img src="workitemimg:1-shot.png"/>', "[1-shot.png]", True),
        ('see <span class="polarion-rte-link" data-item-id="DESK-7">&#160;</span>', "see DESK-7", True),
        ('<a href="javascript:alert(1)">x</a>', "x", True),
        ("<script>alert(1)</script>safe", "safe", True),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "| a | b |\n| --- | --- |", True),
        ("<ul><li>a<li>b</ul>", "- a\n- b", False),
        ("<div>a</div><div>b</div>", "a\n\nb", False),
        ("*not* a_list_ # here", "\\*not\\* a\\_list\\_ # here", False),
        ("", "", False),
    ],
)  # fmt: skip
def test_what_the_editor_writes_is_understood(html: str, markdown: str, is_lossy: bool) -> None:
    assert to_markdown(html) == (markdown, is_lossy)


def test_what_is_nested_beyond_reason_keeps_its_words() -> None:
    text, is_lossy = to_markdown("<blockquote>" * 3000 + "deep" + "</blockquote>" * 3000)
    assert "deep" in text
    assert is_lossy


@pytest.mark.parametrize(
    ("amount", "minutes"),
    [("1h 30m", 90), ("1d 2h", 600), ("1w", 2400), ("5 1/2d", 2640), ("1/3h", 20), ("0.5h", 30), ("", 0)],
)
def test_amounts_of_time_are_minutes(amount: str, minutes: int) -> None:
    assert minutes_of(amount) == minutes


@pytest.mark.parametrize("amount", ["soon", "1", "1x", "1/0h", "-1h"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        minutes_of(amount)


@given(st.integers(0, 10_000_000))
def test_minutes_are_written_so_that_they_read_the_same(minutes: int) -> None:
    assert minutes_of(amount_of(minutes)) == minutes
