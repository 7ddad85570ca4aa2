"""Markdown as people write it in tickets, turned into HTML that is safe to show.

Raw HTML in the source is text; pictures are not fetched (they would tell a stranger who reads what, and when);
headings become bold lines, because the page has its own outline; `#1042` links to that ticket;
`@handle` is marked.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "hr", "li", "mark", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
HEADING = re.compile(r"h[1-6]")
HANDLE = r"(?<![\w@/.+-])@(?P<handle>[A-Za-z0-9](?:[\w.+-]{0,62}[A-Za-z0-9])?)(?![\w@])"
MOST_HANDLES = 20
TICKET = r"(?<![\w&/#])#(?P<number>[1-9]\d{0,9})\b"
ADDRESS = r"(?P<url>https?://[^\s<>\"]{1,2000}[^\s<>\".,;:!?'»”)\]])"
LINKS = re.compile(f"{ADDRESS}|{TICKET}|{HANDLE}")


@lru_cache(maxsize=1024)
def to_html(source: str, ticket_base: str) -> str:
    """Sanitised HTML of a Markdown text; `#1042` leads to `{ticket_base}1042`."""
    html = parser().render(source, {"ticket_base": ticket_base})
    return nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow ugc"
    )


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
    markdown.enable(["table", "strikethrough"]).disable("image")
    markdown.core.ruler.push("flatten_headings", flatten_headings)
    markdown.core.ruler.push("link_text", link_text)
    return markdown


def flatten_headings(state: StateCore) -> None:
    for index, token in enumerate(state.tokens):
        if not HEADING.fullmatch(token.tag):
            continue
        token.tag = "p"
        if token.type == "heading_open":
            line = state.tokens[index + 1]
            line.children = [
                Token("strong_open", "strong", 1), *(line.children or []), Token("strong_close", "strong", -1)
            ]  # fmt: skip


def link_text(state: StateCore) -> None:
    for line in state.tokens:
        if line.type == "inline" and line.children:
            line.children = with_links(line.children, state.env["ticket_base"])


def with_links(tokens: Sequence[Token], ticket_base: str) -> list[Token]:
    """The tokens with addresses and ticket numbers in plain text linked; text inside links stays as it is."""
    result: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and depth == 0:
            result.extend(split_text(token.content, ticket_base))
        else:
            result.append(token)
    return result


def split_text(text: str, ticket_base: str) -> list[Token]:
    pieces: list[Token] = []
    end = 0
    for match in LINKS.finditer(text):
        if match["handle"]:
            pieces += [text_token(text[end : match.start()]), *marked(match[0])]
            end = match.end()
            continue
        href = match["url"] or f"{ticket_base}{match['number']}"
        pieces += [
            text_token(text[end : match.start()]),
            Token("link_open", "a", 1, attrs={"href": href}),
            text_token(match[0]),
            Token("link_close", "a", -1),
        ]
        end = match.end()
    return [*pieces, text_token(text[end:])]


def marked(text: str) -> list[Token]:
    return [Token("mark_open", "mark", 1), text_token(text), Token("mark_close", "mark", -1)]


def handles_in(source: str) -> list[str]:
    """Return the handles a Markdown text names as `@handle`, outside code and links, the first `MOST_HANDLES`."""
    handles: list[str] = []
    for line in parser().parse(source, {"ticket_base": ""}):
        tokens = line.children or []
        for before, token in pairwise(tokens):
            if before.type == "mark_open" and len(handles) < MOST_HANDLES:
                handles.append(token.content.removeprefix("@"))
    return handles


def text_token(text: str) -> Token:
    return Token("text", "", 0, content=text)


def to_line(source: str, length: int = 160) -> str:
    """The beginning of a Markdown text on one line, for previews: without its marks, cut at a word."""
    bare = re.sub(r"[*_`>#|~\[\]]+|\(https?://[^)]*\)", " ", source[: length * 4])
    line = " ".join(bare.split())
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0] + "…"
