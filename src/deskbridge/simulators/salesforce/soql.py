"""SOQL: tokens, a syntax tree and a parser that refuses by name what this simulator leaves out. Linear time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from deskbridge.simulators.salesforce.errors import ApiError

MAX_LENGTH = 100_000
_MAX_DEPTH = 50
_ROW_SHOWN = 60


class SoqlError(ApiError):
    """A query that cannot be run; the message shows the place as Salesforce does."""

    def __init__(self, text: str, position: int, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(400, code, _pointed(text, position, message))


def _pointed(text: str, position: int, message: str) -> str:
    row = text.count("\n", 0, position) + 1
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    column = position - start
    first = max(0, column - _ROW_SHOWN)
    shown = line[first : column + _ROW_SHOWN]
    return f"\n{shown}\n{' ' * (column - first)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or one of a parent: `Subject`, `Owner.Name`."""

    parts: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id) n`: the function in upper case; `path` is None for the bare COUNT()."""

    function: str
    path: Path | None
    alias: str
    position: int


@dataclass(frozen=True, slots=True)
class AllFields:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    kind: str
    position: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: kind string, number, boolean, null, datetime, date or range (a date literal such as LAST_N_DAYS:7)."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Operator one of = != < <= > >= LIKE."""

    path: Path
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """IN or NOT IN a list, or the one column of another query."""

    path: Path
    negated: bool
    values: "Sequence[Literal] | Query"


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Junction:
    """All (AND) or any (OR) of several conditions."""

    operator: str
    parts: "Sequence[Condition]"


Condition = Comparison | Membership | Not | Junction


@dataclass(frozen=True, slots=True)
class Order:
    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    select: "Sequence[Path | Aggregate | AllFields | Query]"
    source: str
    alias: str
    position: int
    where: Condition | None = None
    group_by: Sequence[Path] = field(default_factory=tuple)
    order_by: Sequence[Order] = field(default_factory=tuple)
    limit: int | None = None
    offset: int = 0

    @property
    def aggregates(self) -> bool:
        return bool(self.group_by) or any(isinstance(item, Aggregate) for item in self.select)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w:])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w-])
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<operator><=|>=|!=|<>|[=<>(),:])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_CLAUSES = frozenset({"WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET"})
_REFUSED = frozenset({"USING", "WITH", "HAVING", "FOR", "UPDATE", "TYPEOF", "ROLLUP", "CUBE", "ALL"})
RANGES = frozenset({"TODAY", "YESTERDAY", "TOMORROW", "THIS_WEEK", "THIS_MONTH", "LAST_N_DAYS", "NEXT_N_DAYS"})
_COUNTED_RANGES = frozenset({"LAST_N_DAYS", "NEXT_N_DAYS"})
_OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})


def parse(text: str) -> Query:
    """The syntax tree of a query; SoqlError when it is none, or uses what is left out here."""
    if len(text) > MAX_LENGTH:
        raise SoqlError(text[:100], 0, f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SoqlError(text, position, f"unexpected token: '{text[position]}'")
        if match.lastgroup and match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), position))
        position = match.end()
    return [*found, Token("end", "<EOF>", len(text))]


class _Parser:
    """Recursive descent with one token of lookahead; nesting is bounded."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._token
        self._at += token.kind != "end"
        return token

    def _word(self) -> str:
        return self._token.text.upper() if self._token.kind == "name" else ""

    def _takes(self, *words: str) -> bool:
        """Consume these keywords if they come next, all of them."""
        ahead = self._tokens[self._at : self._at + len(words)]
        fits = [token.kind == "name" and token.text.upper() for token in ahead] == list(words)
        self._at += len(words) if fits else 0
        return fits

    def _takes_operator(self, text: str) -> bool:
        fits = self._token.kind == "operator" and self._token.text == text
        self._at += fits
        return fits

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            self._unexpected()

    def _expect_operator(self, text: str) -> None:
        if not self._takes_operator(text):
            self._unexpected()

    def _unexpected(self) -> NoReturn:
        raise SoqlError(self._text, self._token.position, f"unexpected token: '{self._token.text[:80]}'")

    def _refuse(self, what: str) -> NoReturn:
        message = f"unexpected token: '{what}' ({what} is not supported by this simulated org)"
        raise SoqlError(self._text, self._token.position, message)

    def end(self) -> None:
        if self._token.kind != "end":
            self._refuse_known()
            self._unexpected()

    def _refuse_known(self) -> None:
        if (word := self._word()) in _REFUSED:
            self._refuse(word)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise SoqlError(self._text, self._token.position, "maximum nesting depth exceeded")

    def query(self) -> Query:
        self._enter()
        self._expect("SELECT")
        select = [self._item()]
        while self._takes_operator(","):
            select.append(self._item())
        self._expect("FROM")
        source = self._name()
        alias = self._alias()
        where = self._condition() if self._takes("WHERE") else None
        self._refuse_known()
        group_by = self._group_by()
        order_by = self._order_by()
        limit = self._whole() if self._takes("LIMIT") else None
        offset = self._whole() if self._takes("OFFSET") else 0
        self._depth -= 1
        return Query(select, source.text, alias, source.position, where, group_by, order_by, limit, offset)

    def _item(self) -> "Path | Aggregate | AllFields | Query":
        if self._takes_operator("("):
            inner = self.query()
            self._expect_operator(")")
            return inner
        self._refuse_known()
        token = self._name()
        if self._token.text == "(":
            return self._function(token)
        return Path(tuple(token.text.split(".")), token.position)

    def _function(self, token: Token) -> Aggregate | AllFields:
        name = token.text.upper()
        if name == "FIELDS":
            return self._fields(token)
        if name not in _FUNCTIONS:
            self._refuse(f"{token.text}()")
        self._expect_operator("(")
        bare = name == "COUNT" and self._takes_operator(")")
        path = None if bare else self._path()
        if not bare:
            self._expect_operator(")")
        alias = "" if bare or self._word() in {"", "FROM"} else self._name().text
        return Aggregate(name, path, alias, token.position)

    def _fields(self, token: Token) -> AllFields:
        self._expect_operator("(")
        kind = self._word()
        if kind not in {"ALL", "STANDARD", "CUSTOM"}:
            self._unexpected()
        self._next()
        self._expect_operator(")")
        return AllFields(kind, token.position)

    def _name(self) -> Token:
        if self._token.kind != "name":
            self._unexpected()
        return self._next()

    def _path(self) -> Path:
        token = self._name()
        if self._token.text == "(":
            self._refuse(f"{token.text}()")
        return Path(tuple(token.text.split(".")), token.position)

    def _alias(self) -> str:
        if self._takes("AS"):
            return self._name().text
        if self._token.kind != "name" or self._word() in _CLAUSES | _REFUSED:
            return ""
        return self._name().text

    def _group_by(self) -> list[Path]:
        if not self._takes("GROUP", "BY"):
            return []
        self._refuse_known()
        paths = [self._path()]
        while self._takes_operator(","):
            paths.append(self._path())
        self._refuse_known()
        return paths

    def _order_by(self) -> list[Order]:
        if not self._takes("ORDER", "BY"):
            return []
        orders = [self._order()]
        while self._takes_operator(","):
            orders.append(self._order())
        return orders

    def _order(self) -> Order:
        path = self._path()
        descending = self._takes("DESC")
        if not descending:
            self._takes("ASC")
        nulls_last = descending
        if self._takes("NULLS"):
            nulls_last = self._takes("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return Order(path, descending, nulls_last)

    def _whole(self) -> int:
        if self._token.kind != "number" or not self._token.text.isdigit() or len(self._token.text) > 9:
            self._unexpected()
        return int(self._next().text)

    def _condition(self) -> Condition:
        """One kind of junction a level: mixing AND with OR needs parentheses, as in Salesforce."""
        self._enter()
        parts = [self._simple()]
        operator = self._word() if self._word() in {"AND", "OR"} else ""
        while operator and self._takes(operator):
            parts.append(self._simple())
        if self._word() in {"AND", "OR"}:
            self._unexpected()
        self._depth -= 1
        return Junction(operator, parts) if operator else parts[0]

    def _simple(self) -> Condition:
        negated = False
        while self._takes("NOT"):
            negated = not negated
        condition = self._nested() if self._takes_operator("(") else self._comparison()
        return Not(condition) if negated else condition

    def _nested(self) -> Condition:
        inner = self._condition()
        self._expect_operator(")")
        return inner

    def _comparison(self) -> Condition:
        path = self._path()
        if self._takes("IN"):
            return Membership(path, False, self._members())
        if self._takes("NOT", "IN"):
            return Membership(path, True, self._members())
        if self._word() in {"INCLUDES", "EXCLUDES"}:
            self._refuse(self._word())
        if self._takes("LIKE"):
            return Comparison(path, "LIKE", self._literal())
        if self._token.text not in _OPERATORS:
            self._unexpected()
        operator = self._next().text
        return Comparison(path, "!=" if operator == "<>" else operator, self._literal())

    def _members(self) -> "Sequence[Literal] | Query":
        self._expect_operator("(")
        if self._word() == "SELECT":
            inner = self.query()
            self._expect_operator(")")
            return inner
        values = [self._literal()]
        while self._takes_operator(","):
            values.append(self._literal())
        self._expect_operator(")")
        return values

    def _literal(self) -> Literal:
        token = self._token
        if token.kind == "string":
            self._next()
            self._check_escapes(token)
            return Literal("string", token.text[1:-1], token.position)
        if token.kind in {"number", "date", "datetime"}:
            self._next()
            return Literal(token.kind, token.text, token.position)
        return self._worded_literal(token)

    def _worded_literal(self, token: Token) -> Literal:
        word = self._word()
        if word in {"TRUE", "FALSE", "NULL"}:
            self._next()
            return Literal("null" if word == "NULL" else "boolean", word.lower(), token.position)
        if word not in RANGES:
            following = self._tokens[min(self._at + 1, len(self._tokens) - 1)].text
            if word.startswith(("LAST_", "NEXT_", "THIS_")) or following == ":":
                self._refuse(word)
            self._unexpected()
        self._next()
        if word not in _COUNTED_RANGES:
            return Literal("range", word, token.position)
        self._expect_operator(":")
        return Literal("range", f"{word}:{self._whole()}", token.position)

    def _check_escapes(self, token: Token) -> None:
        for match in re.finditer(r"\\(.)", token.text, re.DOTALL):
            if match.group(1) not in "nNrRtTbBfF\"'\\_%":
                message = f"Invalid string literal {token.text[:80]}. Illegal character sequence '{match.group()}'"
                raise SoqlError(self._text, token.position, f"{message} in string literal.")


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def unquoted(literal: Literal) -> str:
    """The text that a string literal stands for."""
    return re.sub(r"\\(.)", lambda match: _unescaped(match.group(1)), literal.text, flags=re.DOTALL)


def pattern(literal: Literal) -> list[str]:
    """A LIKE pattern as symbols: `%` and `_` stand for themselves, any other character is prefixed with `=`."""
    symbols = []
    for match in re.finditer(r"\\(.)|(.)", literal.text, re.DOTALL):
        escaped, plain = match.groups()
        symbols.append(plain if plain in {"%", "_"} else f"={plain or _unescaped(escaped)}")
    return symbols


def _unescaped(char: str) -> str:
    return _ESCAPES.get(char.lower(), char)
