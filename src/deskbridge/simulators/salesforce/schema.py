"""What an sObject and its fields are. Names are looked up without regard to case, as Salesforce does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

# Field types whose values are text, and those of them that a query can neither filter nor sort by.
TEXT = frozenset({"string", "textarea", "picklist", "email", "phone", "url", "combobox"})
NUMERIC = frozenset({"double", "int"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist; `closed` matters for the status of a case alone."""

    value: str
    default: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `length` counts characters, or bytes where `bytes_limited`; `digits` and `scale` shape a number."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    digits: int = 0
    scale: int = 0
    create: bool = True
    update: bool = True
    required: bool = False
    unique: bool = False
    external_id: bool = False
    restricted: bool = False
    bytes_limited: bool = False
    filterable: bool = True
    choices: Sequence[Choice] = ()
    references: Sequence[str] = ()
    relationship: str = ""
    default: object = None
    help: str = ""

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def title(self) -> str:
        return self.label or self.name

    @property
    def first_choice(self) -> str | None:
        return next((choice.value for choice in self.choices if choice.default), None)


@dataclass(frozen=True, slots=True)
class Child:
    """A relationship from the parent's side: `CaseComments` of a case are the `CaseComment`s by `ParentId`."""

    name: str
    sobject: str
    field: str


@dataclass(frozen=True)
class SObject:
    """One object. `cascades` says that its children are deleted with it."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: Sequence[Field]
    children: Sequence[Child] = ()
    create: bool = True
    update: bool = True
    delete: bool = True
    replicates: bool = True
    name_field: str = "Name"
    cascades: Sequence[str] = field(default_factory=tuple)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, Field]:
        return {field.relationship.lower(): field for field in self.fields if field.relationship}

    @cached_property
    def _by_child(self) -> dict[str, Child]:
        return {child.name.lower(): child for child in self.children}

    def field(self, name: str) -> Field | None:
        return self._by_name.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a relationship such as `Owner`."""
        return self._by_relationship.get(relationship.lower())

    def child(self, relationship: str) -> Child | None:
        return self._by_child.get(relationship.lower())

    @cached_property
    def blobs(self) -> list[Field]:
        return [field for field in self.fields if field.type == "base64"]

    @cached_property
    def unique_fields(self) -> list[Field]:
        return [field for field in self.fields if field.unique or field.external_id]
