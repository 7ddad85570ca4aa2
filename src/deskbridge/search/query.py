"""What somebody asks for: words, "phrases", beginnings*, and terms such as status:open. Pure."""

import re
from dataclasses import dataclass, field

from deskbridge.kit.errors import FieldError, Malformed
from deskbridge.search.words import token, words

LONGEST_QUERY, MOST_TERMS = 500, 20
PART = re.compile(r'(?:(?P<name>[a-z_]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))')
FIELDS = frozenset({"status", "priority", "category", "assignee", "team", "requester", "tag", "is"})


@dataclass(frozen=True)
class Term:
    """Words that follow one another in the text; with `prefix`, the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(token(word) for word in self.words)


@dataclass(frozen=True)
class SearchQuery:
    """Every term must be found in one document; `fields` narrow the tickets, values of one name being alternatives."""

    terms: tuple[Term, ...] = ()
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)


def parse_query(text: str) -> SearchQuery:
    """Read a query; raises `Malformed` naming `q` for one that is too long, or has nothing to look for."""
    if len(text) > LONGEST_QUERY:
        raise _refused(f"Use at most {LONGEST_QUERY} characters.")
    terms: list[Term] = []
    fields: dict[str, tuple[str, ...]] = {}
    for part in PART.finditer(text):
        name, value = part["name"], part["phrase"] if part["phrase"] is not None else part["word"]
        if name in FIELDS:
            fields[name] = (*fields.get(name, ()), value)
        elif found := tuple(word.text for word in words(part[0] if name else value)):
            terms.append(Term(found, prefix=part["phrase"] is None and value.endswith("*")))
    if len(terms) > MOST_TERMS:
        raise _refused(f"Use at most {MOST_TERMS} words or phrases.")
    if not terms and not fields and text.strip():
        raise _refused("There is no word in this to look for.")
    return SearchQuery(tuple(terms), fields)


def _refused(complaint: str) -> Malformed:
    return Malformed(complaint, errors=[FieldError("q", complaint)])
