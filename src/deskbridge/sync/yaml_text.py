"""YAML read node by node, each with its line; what is wrong is collected, never raised one at a time.

Only what a person writes by hand is taken: no anchors, aliases or tags, nothing nested without end, no key twice.
"""

from collections import abc
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import yaml

from deskbridge.sync.connector import Value
from deskbridge.sync.mapping import Fault, MappingRefused

E = TypeVar("E", bound=StrEnum)
LONGEST = 256 * 1024
DEEPEST = 12
_INVISIBLE = "it cannot be read as text"


@dataclass(frozen=True)
class Place:
    """A node of the text, and where it is: `fields.priority.values`, and the line its name is on (from 1)."""

    node: yaml.Node
    path: str
    line: int

    @property
    def text(self) -> str:
        return str(self.node.value)


def compose(text: str) -> Place:
    """Return the root of a YAML text; raises `MappingRefused` when it is too long, no YAML, or too clever."""
    if len(text.encode("utf-8", "replace")) > LONGEST:
        raise MappingRefused([Fault(1, "mapping", f"it is longer than {LONGEST // 1024} KiB")])
    try:
        _require_simple(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingRefused([Fault(line, "mapping", error.problem or _INVISIBLE)]) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise MappingRefused([Fault(1, "mapping", _INVISIBLE)]) from error
    if root is None:
        raise MappingRefused([Fault(1, "mapping", "it is empty")])
    return Place(root, "", _line(root))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _require_simple(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise MappingRefused([Fault(line, "mapping", "anchors and aliases are not allowed")])
        if tag := getattr(event, "tag", None):
            raise MappingRefused([Fault(line, "mapping", f"the tag {tag} is not allowed")])
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise MappingRefused([Fault(line, "mapping", f"it is nested deeper than {DEEPEST} levels")])


@dataclass
class Reading:
    """Reads places as what they should be, and remembers what they are not. `lines` are those of all paths read."""

    faults: list[Fault] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def fault(self, at: Place, message: str) -> None:
        self.faults.append(Fault(at.line, at.path or "mapping", message))

    def table(self, at: Place) -> dict[str, Place]:
        """Return the entries of a table by key, in order."""
        if not isinstance(at.node, yaml.MappingNode):
            self.fault(at, "must be a table of `name: value`")
            return {}
        entries: dict[str, Place] = {}
        for key, value in at.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            inner = Place(value, f"{at.path}.{name}".lstrip("."), _line(key))
            if not isinstance(key, yaml.ScalarNode):
                self.fault(Place(key, at.path, _line(key)), "a name must be a single word")
            elif name in entries:
                self.fault(inner, f"{name} is there twice")
            else:
                entries[name] = inner
                self.lines[inner.path] = inner.line
        return entries

    def known(self, at: Place, required: abc.Iterable[str], optional: abc.Iterable[str]) -> dict[str, Place]:
        """Return the entries of a table whose names are fixed."""
        entries, required = self.table(at), list(required)
        names = [*required, *optional]
        for name, place in entries.items():
            if name not in names:
                self.fault(place, f"{name} is not known here; known are {', '.join(names)}")
        if isinstance(at.node, yaml.MappingNode):
            for name in required:
                if name not in entries:
                    self.fault(at, f"{name} is missing")
        return {name: place for name, place in entries.items() if name in names}

    def items(self, at: Place) -> list[Place]:
        if not isinstance(at.node, yaml.SequenceNode):
            self.fault(at, "must be a list")
            return []
        found = [Place(node, f"{at.path}[{index}]", _line(node)) for index, node in enumerate(at.node.value)]
        self.lines |= {place.path: place.line for place in found}
        return found

    def word(self, at: Place) -> str:
        """Return a single value as `vocabulary.word` would have it: nothing (`null`) as an empty text."""
        if not isinstance(at.node, yaml.ScalarNode):
            self.fault(at, "must be a single value")
            return ""
        if at.node.tag == "tag:yaml.org,2002:null":
            return ""
        return at.text.lower() if at.text.lower() in {"true", "false"} else at.text

    def words(self, at: Place) -> list[str]:
        """Return a list of single values, or the one that stands alone."""
        places = self.items(at) if isinstance(at.node, yaml.SequenceNode) else [at]
        return [self.word(place) for place in places]

    def text(self, at: Place) -> str:
        word = self.word(at)
        if not word and isinstance(at.node, yaml.ScalarNode):
            self.fault(at, "must not be empty")
        return word

    def yes(self, at: Place) -> bool:
        if isinstance(at.node, yaml.ScalarNode) and at.node.tag == "tag:yaml.org,2002:bool":
            return bool(yaml.SafeLoader.bool_values[at.text.lower()])
        self.fault(at, "must be true or false")
        return False

    def number(self, at: Place, least: int, most: int) -> int:
        text = at.text if isinstance(at.node, yaml.ScalarNode) else ""
        if text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most:
            return int(text)
        self.fault(at, f"must be a whole number from {least} to {most}")
        return least

    def one_of(self, at: Place, kind: type[E], default: E) -> E:
        """Return a word of a fixed few."""
        try:
            return kind(self.word(at))
        except ValueError:
            self.fault(at, f"must be one of {', '.join(kind)}")
            return default

    def value(self, at: Place) -> Value:
        """Return a value as it is written to a tracker: text, number, yes or no, nothing, or a list of texts."""
        if isinstance(at.node, yaml.SequenceNode):
            return tuple(sorted(self.words(at)))
        word = self.word(at)
        match at.node.tag.rpartition(":")[2]:
            case "bool":
                return self.yes(at)
            case "int":
                return self.number(at, 0, 999_999_999)
            case "null":
                return None
        return word
