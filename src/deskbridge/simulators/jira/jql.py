"""JQL read into a tree: a tokeniser and a recursive-descent parser, both linear in the query's length."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

_MAX_DEPTH = 100
_RESERVED_CHARACTERS = "{}*/%+^$#@?;`\\"
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<operator><=|>=|!=|!~|&&|\|\||[<>=~!&|])
  | (?P<mark>[(),\[\]])
  | (?P<word>[^\s"'<>=~!&|(),\[\]]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\", "'": "'", '"': '"', " ": " "}
_KEYWORDS = {"and", "or", "not", "in", "is", "was", "changed", "empty", "null", "order", "by", "asc", "desc"}
_RESERVED_WORDS = (
    "abort access add after alias all alter any are as at audit avg be before begin between boolean break "
    "but byte catch cf char character check checkpoint collate collation column commit connect continue "
    "count create current date decimal declare decrement default defaults define delete delimiter "
    "difference distinct divide do double drop else encoding end equals escape exclusive exec execute "
    "exists explain false fetch file field first float for from function go goto grant greater group "
    "having identified if immediate increment index initial inner inout input insert int integer "
    "intersect intersection into isempty isnull it join last left less like limit lock long max min minus "
    "mode modify modulo more multiply next no noaudit notin nowait number object of on option outer "
    "output power previous prior privileges public raise raw remainder rename resource return returns "
    "revoke right row rowid rownum rows select session set share size sqrt start strict string subtract "
    "such sum synonym table that the their then there these they this to trans transaction trigger true "
    "uid union unique update user validate values view when whenever where while will with "
)
_RESERVED = _KEYWORDS | set(_RESERVED_WORDS.split())


class JqlError(Exception):
    """A query Jira would refuse; the text is Jira's."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: text, in quotes or not."""

    text: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Empty:
    """EMPTY or NULL."""


Operand = Value | Function | Empty


@dataclass(frozen=True, slots=True)
class Clause:
    """`field operator operands`; several operands only with `in` and `not in`."""

    field: str
    operator: str
    operands: Sequence[Operand]


@dataclass(frozen=True, slots=True)
class And:
    parts: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Or:
    parts: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = Clause | And | Or | Not


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    is_descending: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """`where` is None for a query that restricts nothing."""

    where: Condition | None
    order: Sequence[Order] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def parse(text: str) -> Query:
    """The query's tree; JqlError when it is not JQL."""
    return _Parser(text).query()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise JqlError(
                f"Error in the JQL Query: The quoted string '{text[position + 1 :]}' has not been completed. "
                f"({_place(text, position)})"
            )
        if found.lastgroup != "space":
            tokens.append(_token(text, found))
        position = found.end()
    return [*tokens, _Token("end", "", len(text))]


def _token(text: str, found: re.Match[str]) -> _Token:
    kind = found.lastgroup or ""
    raw = found[0]
    if kind == "string":
        return _Token(kind, _unescape(text, raw[1:-1], found.start()), found.start())
    if kind == "word":
        for offset, character in enumerate(raw):
            if character in _RESERVED_CHARACTERS:
                raise JqlError(
                    f"Error in the JQL Query: The character '{character}' is a reserved JQL character. You must "
                    f"enclose it in a string or use the escape '\\u{ord(character):04x}' instead. "
                    f"({_place(text, found.start() + offset)})"
                )
    return _Token(kind, raw, found.start())


def _unescape(text: str, raw: str, position: int) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1]
        if code in _ESCAPES:
            return _ESCAPES[code]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        raise JqlError(
            f"Error in the JQL Query: '{found[0]}' is an illegal JQL escape sequence. The valid escape sequences are "
            f"\\', \\\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX. ({_place(text, position)})"
        )

    return _ESCAPE.sub(character, raw)


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    character = position - (text.rfind("\n", 0, position) + 1) + 1
    return f"line {line}, character {character}"


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def query(self) -> Query:
        where = None if self._is_at("order") or self._peek().kind == "end" else self._or()
        order = self._order()
        if self._peek().kind != "end":
            self._fail("Expecting either 'OR' or 'AND'")
        return Query(where, order)

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._accept("or", "||", "|"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(parts)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._accept("and", "&&", "&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(parts)

    def _not(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise JqlError("Error in the JQL Query: the query is nested too deeply.")
        try:
            if self._accept("not", "!"):
                return Not(self._not())
            if self._accept("("):
                inner = self._or()
                self._expect(")")
                return inner
            return self._clause()
        finally:
            self._depth -= 1

    def _clause(self) -> Clause:
        field = self._field()
        operator = self._operator(field)
        if operator in {"in", "not in"}:
            return Clause(field, operator, self._list())
        operand = self._operand()
        if operator in {"is", "is not"} and not isinstance(operand, Empty):
            raise JqlError(f"The operator '{operator}' is only supported with EMPTY or NULL for the field '{field}'.")
        return Clause(field, operator, [operand])

    def _field(self) -> str:
        token = self._peek()
        if token.kind == "word" and token.word == "cf" and self._tokens[self._next + 1].text == "[":
            return self._custom_field()
        if token.kind not in {"word", "string"}:
            self._fail("Expecting a field name")
        self._check_reserved(token)
        self._next += 1
        if self._peek().text == "[":
            name = token.text + "".join(one.text for one in self._tokens[self._next : self._next + 3])
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        return token.text

    def _custom_field(self) -> str:
        self._next += 2
        token = self._peek()
        if not token.text.isdigit():
            self._fail("Expecting a custom field's number")
        self._next += 1
        self._expect("]")
        return f"cf[{token.text}]"

    def _operator(self, field: str) -> str:
        for sign in ("=", "!=", "~", "!~", "<=", ">=", "<", ">"):
            if self._peek().kind == "operator" and self._accept(sign):
                return sign
        if self._accept("in"):
            return "in"
        if self._accept("not"):
            if not self._accept("in"):
                self._fail("Expecting 'in' after 'not'")
            return "not in"
        if self._accept("is"):
            return "is not" if self._accept("not") else "is"
        if self._peek().word in {"was", "changed"}:
            raise JqlError(f"History searches ('{self._peek().word}') are not supported by the field '{field}'.")
        return self._fail("Expecting operator but got", after_got=True)

    def _list(self) -> list[Operand]:
        if not self._accept("("):
            return [self._operand()]
        operands = [self._operand()]
        while self._accept(","):
            operands.append(self._operand())
        self._expect(")")
        return operands

    def _operand(self) -> Operand:
        token = self._peek()
        if token.word in {"empty", "null"}:
            self._next += 1
            return Empty()
        if token.kind not in {"word", "string"}:
            self._fail("Expecting either a value, list or function but got", after_got=True)
        if self._tokens[self._next + 1].text == "(" and self._tokens[self._next + 1].kind == "mark":
            return self._function()
        self._check_reserved(token)
        self._next += 1
        return Value(token.text, token.kind == "string")

    def _function(self) -> Function:
        name = self._peek().text
        self._next += 2
        arguments: list[str] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            token = self._peek()
            if token.kind not in {"word", "string"}:
                self._fail("Expecting ')' or an argument but got", after_got=True)
            arguments.append(token.text)
            self._next += 1
        return Function(name, arguments)

    def _order(self) -> list[Order]:
        if not self._accept("order"):
            return []
        self._expect("by")
        orders = [self._order_item()]
        while self._accept(","):
            orders.append(self._order_item())
        return orders

    def _order_item(self) -> Order:
        field = self._field()
        if self._accept("desc"):
            return Order(field, is_descending=True)
        return Order(field, is_descending=False if self._accept("asc") else None)

    def _check_reserved(self, token: _Token) -> None:
        if token.word in _RESERVED:
            raise JqlError(
                f"Error in the JQL Query: '{token.text}' is a reserved JQL word. You must surround it in quotation "
                f"marks to use it in a query. ({_place(self._text, token.position)})"
            )

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _is_at(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind != "string" and token.text.lower() in texts

    def _accept(self, *texts: str) -> bool:
        if not self._is_at(*texts):
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            self._fail(f"Expecting '{text}'")

    def _fail(self, what: str, *, after_got: bool = False) -> NoReturn:
        token = self._peek()
        got = "the end of the query" if token.kind == "end" else f"'{token.text}'"
        said = f"{what} {got}." if after_got else f"{what} but got {got}."
        raise JqlError(f"Error in the JQL Query: {said} ({_place(self._text, token.position)})")
