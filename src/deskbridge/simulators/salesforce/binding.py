"""From the names in a query to the fields of the schema: which value of a row, or of its parents, is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.salesforce import objects
from deskbridge.simulators.salesforce.objects import GROUP, NAME
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import Field, SObject
from deskbridge.simulators.salesforce.soql import Path, Query, SoqlError

_MAX_STEPS = 5


@dataclass(frozen=True, slots=True)
class Bound:
    """A field reached through references: `steps` are the reference fields on the way, `owner` holds the field."""

    steps: Sequence[Field]
    owner: SObject
    field: Field

    @property
    def name(self) -> str:
        return ".".join([*(step.relationship for step in self.steps), self.field.name])

    def value(self, org: Org, row: Row | None) -> Any:
        """The field's value for a row; None where a reference on the way is empty."""
        for step in self.steps:
            row = parent(org, step, row)
        return None if row is None else row.get(self.field.name)


def parent(org: Org, reference: Field, row: Row | None) -> Row | None:
    """The row at the other end of a reference, deleted or not. One of several objects gets its `Type`."""
    record_id = None if row is None else row.get(reference.name)
    target = objects.of_id(record_id) if record_id else None
    found = org.table(target).get(record_id) if target and record_id else None
    if found is None or target is None or len(reference.references) == 1:
        return found
    kind = "Queue" if target is GROUP else target.name
    return {**found, "Type": kind, "Name": found.get("Name") or found.get("CaseNumber") or found.get("Title")}


class Binder:
    """Resolves the paths of one query over one object; SoqlError names what is not there."""

    def __init__(self, text: str, sobject: SObject, query: Query) -> None:
        self.text = text
        self.sobject = sobject
        self._prefixes = {name.lower() for name in (query.alias, query.source) if name}

    def bind(self, path: Path) -> Bound:
        parts = list(path.parts)
        if len(parts) > 1 and parts[0].lower() in self._prefixes:
            parts = parts[1:]
        if len(parts) > _MAX_STEPS + 1:
            raise self.error(path, "INVALID_FIELD", f"{path}: more than {_MAX_STEPS} levels of relationships")
        current, steps = self.sobject, []
        for name in parts[:-1]:
            reference = current.parent(name)
            if reference is None:
                raise self.error(path, "INVALID_FIELD", _no_relationship(name, current))
            steps.append(reference)
            current = objects.parent_of(reference)
        field = current.field(parts[-1])
        if field is None:
            raise self.error(path, "INVALID_FIELD", _no_column(parts[-1], current))
        return Bound(steps, current, field)

    def error(self, path: Path, code: str, message: str) -> SoqlError:
        return SoqlError(self.text, path.position, message, code)


def source(text: str, query: Query) -> SObject:
    """The object that a query asks for."""
    sobject = objects.find(query.source)
    if sobject is None or sobject is NAME:
        message = (
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be sure to "
            "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        raise SoqlError(text, query.position, message, "INVALID_TYPE")
    return sobject


def _no_relationship(name: str, sobject: SObject) -> str:
    return (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        f"be sure to append the '__r' after the custom relationship name. ({sobject.name})"
    )


def _no_column(name: str, sobject: SObject) -> str:
    return (
        f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
        "appropriate names."
    )
