"""Write the typed client of the API from what the API says of itself: one definition, in the routes."""

import inspect
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import Any

from deskbridge.app import API

HEADER = '"""{} Written by `make docs` from the API\'s routes; change those instead."""\n\n'
REFERENCE = "#/components/schemas/"
LEFT_TO_PAGES = {"cursor", "page", "per_page"}
"""Parameters of lists that the client sets by itself, or that say the same in a second way."""
TEXTS = {"uuid": "UUID", "date-time": "datetime", "date": "date"}
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def client_files(document: dict[str, Any]) -> dict[str, str]:
    """Return every generated file of `deskbridge.client`, by its path below that folder."""
    shapes = Shapes(document["components"]["schemas"])
    groups = _by_group(document)
    routes = {f"routes/{name}.py": _routes_module(name, calls, shapes) for name, calls in sorted(groups.items())}
    files = {
        **routes,
        "routes/__init__.py": _all_routes(sorted(groups)),
        "answers.py": shapes.answers_module(),
        "choices.py": shapes.choices_module(),
    }
    return {path: _formatted(text) for path, text in files.items()}


def _formatted(text: str) -> str:
    """Return the text in the project's format, with its imports in order."""
    for command in (["check", "--fix-only", "--select", "I,F401"], ["format"]):
        ruff = [
            sys.executable,
            "-m",
            "ruff",
            *command,
            "--quiet",
            "--stdin-filename",
            "src/deskbridge/client/it.py",
            "-",
        ]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


# What is answered


class Shapes:
    """The schemas of the document as Python types; remembers which of them the routes turn out to need."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._needed: dict[str, None] = {}

    def kind(self, schema: dict[str, Any]) -> str:
        """Return the annotation of a value with this schema."""
        if "$ref" in schema:
            return self._named(schema["$ref"].removeprefix(REFERENCE))
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.kind(one) for one in schema["anyOf"]))
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if schema.get("type") == "array":
            if "prefixItems" in schema:
                return f"tuple[{', '.join(self.kind(one) for one in schema['prefixItems'])}]"
            return f"list[{self.kind(schema.get('items', {}))}]"
        if schema.get("type") == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self.kind(values) if isinstance(values, dict) else 'Any'}]"
        return TEXTS.get(schema.get("format", ""), PLAIN.get(schema.get("type", ""), "Any"))

    def _named(self, name: str) -> str:
        if _inner(name) != name:
            return f"Page[{self._named(_inner(name))}]"
        self._needed[name] = None
        return class_name(name)

    def items_of(self, schema: dict[str, Any]) -> str | None:
        """Return what a list in pages holds; None for anything that is no such list."""
        fields = self._schemas.get(schema.get("$ref", "").removeprefix(REFERENCE), {}).get("properties", {})
        return self.kind(fields["items"]["items"]) if {"items", "next_cursor"} <= fields.keys() else None

    def fields(self, schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Return the properties of a body, and which of them it must have."""
        if "anyOf" in schema:
            schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        found = self._schemas[schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else schema
        return found.get("properties", {}), set(found.get("required", []))

    def answers_module(self) -> str:
        """Return the module of every structure that is answered, each after those it names."""
        written: dict[str, str] = {}
        for name in list(self._needed):
            self._write(name, written)
        imports = "from datetime import date, datetime\nfrom typing import Any, Literal\nfrom uuid import UUID\n\n"
        imports += (
            "import msgspec\n\nfrom deskbridge.client.choices import *\nfrom deskbridge.kit.paging import Page\n\n"
        )
        imports = imports.replace("import *", f"import {', '.join(sorted(self._choices()))}")
        return HEADER.format("What the API answers.") + imports + "\n\n".join(written.values())

    def _write(self, name: str, written: dict[str, str]) -> None:
        if name in written or "enum" in self._schemas[name]:
            return
        written[name] = ""  # one that leads back to itself names itself in quotes
        for other in re.findall(rf"{REFERENCE}(\w+)", str(self._schemas[name])):
            self._write(_inner(other), written)
        text = self._structure(name)
        del written[name]
        written[name] = text

    def _structure(self, name: str) -> str:
        schema = self._schemas[name]
        properties, required = schema.get("properties", {}), set(schema.get("required", []))
        base, own = "msgspec.Struct", properties
        if (items := self.items_of({"$ref": REFERENCE + name})) is not None:
            base, own = f"Page[{items}]", {k: v for k, v in properties.items() if k not in {"items", "next_cursor"}}
        lines = [f"class {class_name(name)}({base}, kw_only=True):", _docstring(schema.get("description", name), 4)]
        for field, one in own.items():
            default = "" if field in required else f" = {one.get('default')!r}"
            lines.append(f"    {field}: {self.kind(one)}{default}")
        return "\n".join(lines) + "\n"

    def _choices(self) -> list[str]:
        return [class_name(name) for name, schema in self._schemas.items() if "enum" in schema]

    def choices_module(self) -> str:
        """Return the module of every choice among words."""
        parts = []
        for name in sorted(self._schemas, key=class_name):
            schema = self._schemas[name]
            if "enum" in schema:
                members = "\n".join(f"    {word.upper().replace(' ', '_')} = {word!r}" for word in schema["enum"])
                text = _docstring(schema.get("description", f"A choice of the API: {class_name(name)}."), 4)
                parts.append(f"class {class_name(name)}(StrEnum):\n{text}\n\n{members}\n")
        return HEADER.format("The API's choices among words.") + "from enum import StrEnum\n\n" + "\n\n".join(parts)


def _inner(name: str) -> str:
    """Return what a page is of; of any other schema, itself."""
    page = re.fullmatch(r"Page_(\w+)_", name)
    return page[1] if page else name


def class_name(name: str) -> str:
    """Return the class of a schema; one of several with the same name gets its slice's before it."""
    parts = name.split("__")
    return parts[-1] if len(parts) == 1 else parts[1].capitalize() + parts[-1]


# What is called


@dataclass(frozen=True)
class Operation:
    """One route: the method of the client that calls it, and what the document says of it."""

    name: str
    method: str
    path: str
    described: dict[str, Any]


def _by_group(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """Return the operations by the door they belong to, which is the attribute of the client they are found under."""
    groups: dict[str, list[Operation]] = {}
    for router in API:
        for route in router.routes:
            described = document["paths"].get(getattr(route, "path", ""), {})
            for method in sorted(getattr(route, "methods", ())):
                if method.lower() in described:
                    endpoint = getattr(route, "endpoint")  # noqa: B009 - routers hold other kinds of routes too
                    one = Operation(endpoint.__name__, method, route.path, described[method.lower()])  # type: ignore[attr-defined]
                    groups.setdefault(_group(endpoint.__module__), []).append(one)
    return groups


def _group(module: str) -> str:
    """Return a door's name: `companions` for tickets.companions_api, `tickets` for tickets.api."""
    *_, package, name = module.split(".")
    return package if name == "api" else name.removesuffix("_api")


def _routes_module(name: str, operations: list[Operation], shapes: Shapes) -> str:
    methods = "\n".join(_method(operation, shapes) for operation in operations)
    needed = sorted(set(re.findall(r"\b[A-Z]\w+\b", methods)))
    choices = [word for word in needed if word in shapes._choices()]  # noqa: SLF001
    answers = [word for word in needed if word in {class_name(n) for n in shapes._schemas} - set(choices)]  # noqa: SLF001
    imports = [
        "from collections.abc import Iterator",
        "from contextlib import AbstractContextManager",
        "from datetime import date, datetime",
        "from typing import Any, Literal, TypeVar",
        "from uuid import UUID",
        "import httpx",
        "from msgspec import UNSET, UnsetType",
        "from deskbridge.client.calls import Call, Calls, Upload, once, segment, version_tag",
        "from deskbridge.client.pages import Pages",
        "from deskbridge.client.stream import Frame",
        "from deskbridge.kit.paging import Page",
    ]
    imports += [f"from deskbridge.client.answers import {', '.join(answers)}"] if answers else []
    imports += [f"from deskbridge.client.choices import {', '.join(choices)}"] if choices else []
    title = f"What can be called: {name}."
    variable = '\n\nA = TypeVar("A")\n' if re.search(r"\bA\b", methods) else ""
    start = f'class {name.capitalize()}Routes:\n    """The routes of the API that are about {name}."""\n\n'
    start += "    def __init__(self, calls: Calls) -> None:\n        self._calls = calls\n\n"
    return HEADER.format(title) + "\n".join(imports) + variable + "\n\n" + start + methods


def _method(operation: Operation, shapes: Shapes) -> str:
    """Return the method of the client for one route."""
    made = _Making(operation, shapes)
    answer, statement = made.answer()
    parameters = ", ".join(["self", *made.places, *(["*"] if made.words else []), *made.words])
    text = _docstring(operation.described.get("description", operation.name) + made.notes, 8)
    return f"    def {operation.name}({parameters}) -> {answer}:\n{text}\n{textwrap.indent(statement, ' ' * 8)}\n"


class _Making:
    """One method in the making: its parameters, and the call it makes of them."""

    def __init__(self, operation: Operation, shapes: Shapes) -> None:
        self.operation, self.shapes = operation, shapes
        self.places: list[str] = []
        self.words: list[str] = []
        self.notes = ""
        self._call = [repr(operation.method)]
        self._read_path()
        self._read_query()
        self._read_body()
        self._read_headers()

    def _parameters(self, place: str) -> list[dict[str, Any]]:
        return [one for one in self.operation.described.get("parameters", []) if one["in"] == place]

    def _read_path(self) -> None:
        path = self.operation.path
        for one in self._parameters("path"):
            kind = self.shapes.kind(one["schema"])
            self.places.append(f"{one['name']}: {'UUID | str' if kind == 'UUID' else 'UUID | int | str'}")
            path = path.replace(f"{{{one['name']}}}", f"{{segment({one['name']})}}")
        self._call.append(f"f{path!r}" if self.places else repr(path))

    def _read_query(self) -> None:
        names = []
        for one in self._parameters("query"):
            if self._is_pages() and one["name"] in LEFT_TO_PAGES:
                continue
            kind = self.shapes.kind(one["schema"])
            name = f"{one['name']}_" if one["name"] == "from" else one["name"]
            names.append(f"{one['name']!r}: {name}")
            self.words.append(f"{name}: {kind}" if one.get("required") else f"{name}: {_or_unset(kind)}")
        if names:
            self._call.append(f"query={{{', '.join(names)}}}")

    def _read_body(self) -> None:
        content = self.operation.described.get("requestBody", {}).get("content", {})
        for media_type, one in content.items():
            fields, required = self.shapes.fields(one["schema"])
            files = {name for name, schema in fields.items() if _is_file(schema)}
            for name, schema in sorted(fields.items(), key=lambda field: field[0] not in required):
                kind = "Upload" if name in files else self.shapes.kind(schema)
                self.words.append(f"{name}: {kind}" if name in required else f"{name}: {_or_unset(kind)}")
            self._call.append(f"body={{{', '.join(f'{n!r}: {n}' for n in fields if n not in files)}}}")
            if media_type == "multipart/form-data":
                self._call.append(f"files={{{', '.join(f'{n!r}: {n}' for n in sorted(files))}}}")

    def _read_headers(self) -> None:
        names = {one["name"] for one in self._parameters("header")}
        if "If-Match" in names:
            self.words.append("if_match: int | None = None")
            self._call.append("headers=version_tag(if_match)")
        if "Idempotency-Key" in names:
            self.words.append("idempotency_key: str | None = None")
            self._call.append("key=once(idempotency_key)")

    def _good(self) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one.get("content", {}) for status, one in self.operation.described["responses"].items() if status < "300"
        )
        return found

    def _is_pages(self) -> bool:
        schema = self._good().get("application/json", {}).get("schema", {})
        return self.shapes.items_of(schema) is not None

    def answer(self) -> tuple[str, str]:
        """Return what the method returns, and the statement that does it."""
        content, call = self._good(), f"Call({', '.join(self._call)})"
        if not content:
            return "None", f"self._calls.nothing({call})"
        schema = content.get("application/json", {}).get("schema")
        if any(_is_file(one["schema"]) for one in content.values()):
            return "AbstractContextManager[httpx.Response]", f"return self._calls.opened({call})"
        if schema is None:
            return self._other_answer(next(iter(content)), call)
        kind = self.shapes.kind(schema)
        if len(content) > 1 or "anyOf" in schema:
            self.places.insert(0, "answer: type[A]")
            self.notes = f"\n\n`answer` says which is expected: {kind.replace(' | ', ', ')}, or str for other formats."
            return "A", f"return self._calls.answer({call}, answer)"
        if (items := self.shapes.items_of(schema)) is not None:
            return f"Pages[{items}, {kind}]", f"return self._calls.pages({call}, {kind})"
        return kind, f"return self._calls.answer({call}, {kind})"

    def _other_answer(self, media_type: str, call: str) -> tuple[str, str]:
        if media_type == "text/event-stream":
            return "Iterator[Frame]", f"return self._calls.frames({call})"
        return "str", f"return self._calls.text({call})"


def _or_unset(kind: str) -> str:
    """Return the annotation and default of a parameter that may be left out."""
    without_none = kind.removesuffix(" | None")
    return f"{without_none} | UnsetType{kind.removeprefix(without_none)} = UNSET"


def _is_file(schema: dict[str, Any]) -> bool:
    return schema.get("format") == "binary" or "contentMediaType" in schema


def _all_routes(names: list[str]) -> str:
    imports = "\n".join(f"from deskbridge.client.routes.{name} import {name.capitalize()}Routes" for name in names)
    attributes = "\n".join(f"        self.{name} = {name.capitalize()}Routes(calls)" for name in names)
    start = 'class Routes:\n    """Every route of the API, by the door it belongs to."""\n\n'
    start += "    def __init__(self, calls: Calls) -> None:\n"
    title = HEADER.format("Every route of the API.")
    return f"{title}from deskbridge.client.calls import Calls\n{imports}\n\n\n{start}{attributes}\n"


def _docstring(text: str, indent: int) -> str:
    """Return a docstring, wrapped."""
    first, _, rest = inspect.cleandoc(text).partition("\n\n")
    wrapped = textwrap.TextWrapper(113 - indent, break_on_hyphens=False)
    blocks = [wrapped.fill(" ".join(part.split())) for part in (first, *rest.split("\n\n")) if part]
    closing = "" if len(blocks) == 1 and "\n" not in blocks[0] else "\n"
    return textwrap.indent('"""' + "\n\n".join(blocks).replace("\\", "\\\\") + closing + '"""', " " * indent)
