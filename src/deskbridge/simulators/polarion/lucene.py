"""The query language of work item lists: a tokeniser and a recursive descent parser for Polarion's Lucene.

Covered: terms, phrases, wildcards, ranges, field groups, `AND OR NOT && || ! + -`, parentheses, `*:*`, escapes.
What real Polarion has and this simulator has not (boosts, fuzzy and proximity search, regular expressions, `SQL:(...)`)
is refused by name. Parsing is linear in the length of the query.
"""

from dataclasses import dataclass
from enum import Enum, auto

MAX_CLAUSES = 2048
"""Polarion's own limit of clauses in one query."""
MAX_DEPTH = 100


class QueryError(ValueError):
    """The query cannot be understood, or asks for what this simulator has not; the text says what and where."""


class Occur(Enum):
    """How a clause counts in its boolean query, as in Lucene."""

    MUST = auto()
    SHOULD = auto()
    MUST_NOT = auto()


@dataclass(frozen=True)
class Everything:
    """`*:*`, or no query at all."""


@dataclass(frozen=True)
class Term:
    """One word or quoted phrase in a field (None: the default fields)."""

    field: str | None
    text: str
    quoted: bool


@dataclass(frozen=True)
class Wildcard:
    """A word with `*` and `?`; `parts` are (text, is literal), each wildcard a non-literal part of one character."""

    field: str | None
    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Range:
    """`[low TO high]`; None is an open end."""

    field: str
    low: str | None
    high: str | None
    includes_low: bool
    includes_high: bool


@dataclass(frozen=True)
class Clause:
    """A part of a boolean query and how it counts."""

    occur: Occur
    node: "Node"


@dataclass(frozen=True)
class Boolean:
    """Clauses in Lucene's sense: all MUST, none of MUST_NOT, and without a MUST at least one SHOULD."""

    clauses: tuple[Clause, ...]


Node = Everything | Term | Wildcard | Range | Boolean


class Kind(Enum):
    """What a token is; a range is one token, because its inside has rules of its own."""

    WORD = "word"
    QUOTED = "phrase"
    RANGE = "range"
    OPEN = "("
    CLOSE = ")"
    COLON = ":"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    PLUS = "+"
    MINUS = "-"
    END = "end of the query"


@dataclass(frozen=True)
class Token:
    """`text` is raw (still escaped) for words, unescaped for phrases; `at` is the offset in the query."""

    kind: Kind
    text: str
    at: int


def parse(query: str) -> Node:
    """The tree of `query`; an empty query is everything. Raises QueryError naming the offending part."""
    tokens = tokenise(query)
    if tokens[0].kind is Kind.END:
        return Everything()
    return _Parser(tokens).whole()


# --- tokens

_SINGLE = {"(": Kind.OPEN, ")": Kind.CLOSE, ":": Kind.COLON, "+": Kind.PLUS, "-": Kind.MINUS, "!": Kind.NOT}
_WORDS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT, "&&": Kind.AND, "||": Kind.OR}
_ENDS_WORD = set(' \t\r\n()[]{}^"~:!')
_REFUSED = {
    "^": "Boosting ('^') is not supported by this simulator",
    "~": "Fuzzy and proximity search ('~') is not supported by this simulator",
    "/": "Regular expressions ('/.../') are not supported by this simulator",
}


def tokenise(query: str) -> list[Token]:
    """All tokens of `query`, the last one END."""
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        if query[at].isspace():
            at += 1
            continue
        token, at = _next(query, at)
        tokens.append(token)
    tokens.append(Token(Kind.END, "", at))
    return tokens


def _next(query: str, at: int) -> tuple[Token, int]:
    char = query[at]
    if char in _REFUSED:
        raise QueryError(f"{_REFUSED[char]} (at position {at}).")
    if char in _SINGLE:
        return Token(_SINGLE[char], char, at), at + 1
    if char == '"':
        return _quoted(query, at)
    if char in "[{":
        return _range(query, at)
    if char in "]}":
        raise QueryError(f"Encountered '{char}' at position {at} without the start of a range.")
    return _word(query, at)


def _quoted(query: str, at: int) -> tuple[Token, int]:
    text: list[str] = []
    i = at + 1
    while i < len(query) and query[i] != '"':
        i += query[i] == "\\" and i + 1 < len(query)
        text.append(query[i])
        i += 1
    if i >= len(query):
        raise QueryError(f"The phrase starting at position {at} has no closing quote.")
    return Token(Kind.QUOTED, "".join(text), at), i + 1


def _range(query: str, at: int) -> tuple[Token, int]:
    i = at + 1
    while i < len(query) and query[i] not in "]}":
        i = _quoted(query, i)[1] if query[i] == '"' else i + 1
    if i >= len(query):
        raise QueryError(f"The range starting at position {at} has no closing bracket.")
    return Token(Kind.RANGE, query[at : i + 1], at), i + 1


def _word(query: str, at: int) -> tuple[Token, int]:
    i = at
    while i < len(query) and query[i] not in _ENDS_WORD:
        if query[i] == "\\" and i + 1 >= len(query):
            raise QueryError(f"Nothing follows the escape character at position {i}.")
        i += 2 if query[i] == "\\" else 1
    text = query[at:i]
    return Token(_WORDS.get(text, Kind.WORD), text, at), i


# --- the grammar


class _Parser:
    """Query := Clause+ ; Clause := [AND|OR] [NOT|+|-] [field ':'] (word | phrase | range | '(' Query ')')."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.clauses = 0

    def whole(self) -> Node:
        node = self.query(field=None, depth=0)
        if self.peek().kind is not Kind.END:
            raise self.unexpected()
        return node

    def query(self, field: str | None, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise QueryError(f"The query is nested more than {MAX_DEPTH} levels deep.")
        clauses: list[Clause] = []
        while self.peek().kind not in (Kind.END, Kind.CLOSE):
            self.clause(clauses, field, depth)
        if not clauses:
            raise self.unexpected()
        if len(clauses) == 1 and clauses[0].occur is not Occur.MUST_NOT:
            return clauses[0].node
        return Boolean(tuple(clauses))

    def clause(self, clauses: list[Clause], field: str | None, depth: int) -> None:
        conjunction = self.conjunction(first=not clauses)
        occur = self.modifier()
        if conjunction is Kind.AND and clauses[-1].occur is Occur.SHOULD:
            # AND binds the clause before it as well: Lucene has no precedence, only these marks
            clauses[-1] = Clause(Occur.MUST, clauses[-1].node)
        if occur is None:
            occur = Occur.MUST if conjunction is Kind.AND else Occur.SHOULD
        clauses.append(Clause(occur, self.primary(field, depth)))
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise QueryError(f"The query has more than {MAX_CLAUSES} clauses (maxClauseCount).")

    def conjunction(self, *, first: bool) -> Kind | None:
        if self.peek().kind not in (Kind.AND, Kind.OR):
            return None
        if first:
            raise self.unexpected()
        return self.take().kind

    def modifier(self) -> Occur | None:
        occur = {Kind.NOT: Occur.MUST_NOT, Kind.MINUS: Occur.MUST_NOT, Kind.PLUS: Occur.MUST}.get(self.peek().kind)
        if occur is not None:
            self.take()
        return occur

    def primary(self, field: str | None, depth: int) -> Node:
        token = self.take()
        if token.kind is Kind.OPEN:
            return self.group(field, depth)
        if token.kind is Kind.WORD and self.peek().kind is Kind.COLON:
            self.take()
            return self.fielded(_unescape(token.text), token, depth)
        return self.leaf(field, token)

    def leaf(self, field: str | None, token: Token) -> Node:
        if token.kind is Kind.WORD:
            return _word_node(field, token)
        if token.kind is Kind.QUOTED:
            return Term(field, token.text, quoted=True)
        if token.kind is Kind.RANGE and field is not None:
            return _range_node(field, token)
        raise self.unexpected(token)

    def group(self, field: str | None, depth: int) -> Node:
        node = self.query(field, depth + 1)
        if self.peek().kind is not Kind.CLOSE:
            raise self.unexpected()
        self.take()
        return node

    def fielded(self, field: str, token: Token, depth: int) -> Node:
        if field == "SQL":
            raise QueryError("SQL queries ('SQL:(...)') are not supported by this simulator.")
        following = self.take()
        if token.text == "*":
            if following.kind is Kind.WORD and following.text == "*":
                return Everything()
            raise self.unexpected(following)
        if following.kind is Kind.OPEN:
            return self.group(field, depth)
        return self.leaf(field, following)

    def peek(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def unexpected(self, token: Token | None = None) -> QueryError:
        token = token or self.peek()
        what = token.kind.value if token.kind is Kind.END else f"'{token.text}'"
        return QueryError(f"Cannot parse the query: encountered {what} at position {token.at}.")


# --- leaves


def _word_node(field: str | None, token: Token) -> Node:
    parts = _parts(token.text)
    if all(literal for _, literal in parts):
        return Term(field, "".join(text for text, _ in parts), quoted=False)
    if not parts[0][1]:
        raise QueryError(
            f"Cannot parse '{token.text}': '*' or '?' is not allowed as the first character (at position {token.at})."
        )
    return Wildcard(field, tuple(parts))


def _parts(raw: str) -> list[tuple[str, bool]]:
    """The word as `Wildcard.parts`."""
    parts: list[tuple[str, bool]] = []
    i = 0
    while i < len(raw):
        escaped = raw[i] == "\\"
        char = raw[i + 1] if escaped else raw[i]
        if char in "*?" and not escaped:
            parts.append((char, False))
        elif parts and parts[-1][1]:
            parts[-1] = (parts[-1][0] + char, True)
        else:
            parts.append((char, True))
        i += 2 if escaped else 1
    return parts


def _unescape(raw: str) -> str:
    return "".join(text for text, _ in _parts(raw))


def _range_node(field: str, token: Token) -> Range:
    ends = token.text[1:-1].split(" TO ")
    if len(ends) != 2:
        raise QueryError(f"The range '{token.text}' at position {token.at} is not of the form [low TO high].")
    low, high = (_end(end, token) for end in ends)
    return Range(field, low, high, includes_low=token.text[0] == "[", includes_high=token.text[-1] == "]")


def _end(text: str, token: Token) -> str | None:
    text = text.strip()
    if not text:
        raise QueryError(f"The range '{token.text}' at position {token.at} lacks one of its ends.")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1]
    return None if text == "*" else text
