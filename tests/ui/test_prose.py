import pytest

from deskbridge.ui.prose import to_html, to_line

DESK = "/desk/tickets/"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello **you**", "<p>Hello <strong>you</strong></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Title", "<p><strong>Title</strong></p>"),
        ("`#1042` is code", "<p><code>#1042</code> is code</p>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
    ],
)
def test_markdown(source, expected):
    assert to_html(source, DESK).strip() == expected


def test_ticket_numbers_lead_to_the_ticket():
    html = to_html("Same as #1042, see #7.", "/portal/tickets/")
    assert '<a href="/portal/tickets/1042" rel="noopener noreferrer nofollow ugc">#1042</a>' in html
    assert 'href="/portal/tickets/7"' in html


@pytest.mark.parametrize("source", ["a#1042", "##1042", "&#1042;x", "#0", "#12345678901", "#x1"])
def test_what_is_no_ticket_number_stays_text(source):
    assert "<a " not in to_html(f"x {source}", DESK)


def test_addresses_become_links_without_the_final_point():
    assert 'href="https://example.org/a?b=1"' in to_html("See https://example.org/a?b=1.", DESK)


def test_no_link_within_a_link():
    assert to_html("[see #1042](https://example.org)", DESK).count("<a ") == 1


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,alert)",
        "![x](https://example.org/pixel.png)",
        "<style>body{display:none}</style>",
        '<a href="x" onclick="alert(1)">y</a>',
        '<https://example.org/"onmouseover=alert(1)>',
    ],
)
def test_nothing_runs_and_nothing_is_fetched(source):
    html = to_html(source, DESK)
    for tag in ("<script", "<img", "<style", "<iframe", "<a onclick", 'href="javascript', 'href="data'):
        assert tag not in html


def test_a_line_for_previews():
    assert to_line("# Hello\n\n**bold** [link](https://example.org) `code`") == "Hello bold link code"
    assert to_line("word " * 100, 20) == "word word word word…"
