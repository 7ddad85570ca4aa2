"""The text of journal entries: plain, but for what stands between `[code]` and `[/code]`, which is HTML."""

import html
import re

import nh3

from deskbridge.connectors.plaintext import to_markdown, to_plain

_CODE_TAG = re.compile(r"\[(/?)code\]", re.IGNORECASE)
_CODE = re.compile(r"\[code\](.*?)\[/code\]", re.IGNORECASE | re.DOTALL)
_BREAK_TAG = re.compile(r"<br\b[^>]*>|</(?:p|div|li|h\d|tr)>", re.IGNORECASE)


def to_journal(markdown: str) -> str:
    """Return Markdown as the text of a journal entry, in which `[code]` would switch to HTML: it is made harmless."""
    return _CODE_TAG.sub("[\\1\u2060code]", to_plain(markdown))


def from_journal(entry: str) -> tuple[str, bool]:
    """Return the Markdown of a journal entry, and whether HTML in it lost its formatting."""
    text = _CODE.sub(lambda found: _text_of(found.group(1)), entry)
    return to_markdown(text), text != entry


def _text_of(code: str) -> str:
    return html.unescape(nh3.clean(_BREAK_TAG.sub(r"\g<0>" + "\n", code), tags=set()))
