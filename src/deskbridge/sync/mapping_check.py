"""A mapping held against a tracker's live set-up and the desk's, before anything runs by it."""

from collections import abc
from dataclasses import dataclass, field

from deskbridge.sync.connector import Capabilities, FieldInfo, FieldKind, Metadata, Value, WorklogKind
from deskbridge.sync.mapping import Direction, Fault, FieldRule, Mapping, WhenUnmapped
from deskbridge.sync.vocabulary import DeskKind, word

_FITTING = {
    DeskKind.LINE: {FieldKind.TEXT, FieldKind.RICH_TEXT},
    DeskKind.TEXT: {FieldKind.TEXT, FieldKind.RICH_TEXT},
    DeskKind.CHOICE: {FieldKind.CHOICE, FieldKind.TEXT, FieldKind.BOOLEAN, FieldKind.NUMBER},
    DeskKind.TAGS: {FieldKind.LABELS, FieldKind.CHOICES},
    DeskKind.PERSON: {FieldKind.PERSON},
    DeskKind.NUMBER: {FieldKind.NUMBER},
    DeskKind.MOMENT: {FieldKind.DATE_TIME},
}


def check(
    mapping: Mapping,
    metadata: Metadata,
    capabilities: Capabilities,
    categories: abc.Collection[str] | None = None,
    teams: abc.Collection[str] | None = None,
) -> list[Fault]:
    """Return everything that would go wrong, in the order of the lines; empty when the mapping fits.

    `categories` are the keys of the desk's active ones, `teams` the names of its teams; None leaves them unchecked.
    """
    found = _Check(mapping, metadata, {"category": categories, "team": teams})
    for rule in mapping.fields.values():
        found.field(rule)
    found.required()
    found.filing()
    found.time(capabilities)
    return sorted(found.faults, key=lambda fault: fault.line)


@dataclass
class _Check:
    mapping: Mapping
    metadata: Metadata
    known: abc.Mapping[str, abc.Collection[str] | None]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(self.mapping.line(path), path, message))

    # Fields

    def field(self, rule: FieldRule) -> None:
        path = f"fields.{rule.desk}"
        info = self.metadata.fields.get(rule.remote)
        if info is None:
            self.fault(f"{path}.remote", f"the tracker has no field {rule.remote}")
            return
        if info.kind not in _FITTING[rule.info.kind]:
            self.fault(path, f"{rule.remote} is a {info.kind}, which cannot hold a {rule.info.kind}")
        if (rule.desk == "status") != (rule.remote == self.metadata.status_field):
            self.fault(path, f"the status, and only it, goes with {self.metadata.status_field}")
        if rule.direction.outward and rule.desk != "status":
            self._written(rule, info)
        if rule.direction.outward and rule.is_text:
            self._length(rule, info)
        if rule.table is not None:
            self._table(rule, info)
        self._desk_values(rule)
        self._demands(rule)

    def _written(self, rule: FieldRule, info: FieldInfo) -> None:
        path, table = f"fields.{rule.desk}", rule.table or {}
        for value, row in table.items():
            for name, written in (row.write or {}).items():
                self._value(f"{path}.values.{value}.write.{name}", name, written, self.metadata.fields)
        by_itself = rule.table is None or any(row.desk and row.write is None for row in table.values())
        if by_itself and not info.writable:
            self.fault(f"{path}.remote", f"the tracker does not let {rule.remote} be written")

    def _length(self, rule: FieldRule, info: FieldInfo) -> None:
        longest = rule.longest or rule.info.length[1]
        if info.max_length is not None and longest > info.max_length:
            self.fault(
                f"fields.{rule.desk}",
                f"{rule.remote} holds {info.max_length} characters, and up to {longest} would be written: "
                f"set longest to {info.max_length} at most",
            )

    def _table(self, rule: FieldRule, info: FieldInfo) -> None:
        path, table = f"fields.{rule.desk}.values", rule.table or {}
        choices = self.metadata.statuses if rule.desk == "status" else info.choices
        for value in table:
            if choices and value and value not in choices:
                self.fault(f"{path}.{value}", f"{rule.remote} has no value {value}; it has {', '.join(choices)}")
        missing = [f"{value} ({label})" for value, label in choices.items() if value not in table]
        if missing and rule.direction.inward and rule.unmapped is WhenUnmapped.REFUSE:
            self.fault(path, f"not mapped: {', '.join(missing)}")

    def _desk_values(self, rule: FieldRule) -> None:
        known, path = self.known.get(rule.desk), f"fields.{rule.desk}.values"
        if known is None or rule.table is None:
            return
        for remote, row in rule.table.items():
            for value in sorted({*row.desk, row.inbound} - {""} - set(known)):
                self.fault(f"{path}.{remote}", f"the desk has no {rule.desk} {value}")
        missing = sorted(set(known).difference(*(row.desk for row in rule.table.values())))
        if missing and rule.direction.outward and rule.unmapped is WhenUnmapped.REFUSE:
            self.fault(path, f"not mapped: {', '.join(missing)}")

    def _demands(self, rule: FieldRule) -> None:
        known = {**self.metadata.fields, **self.metadata.step_fields}
        for status, demanded in rule.demands.items():
            path = f"fields.{rule.desk}.demands.{status}"
            if status not in self.metadata.statuses:
                self.fault(path, f"the tracker has no status {status}")
            for name, value in demanded.items():
                self._value(f"{path}.{name}", name, value, known, is_step=True)

    def _value(
        self, path: str, name: str, value: Value, known: abc.Mapping[str, FieldInfo], *, is_step: bool = False
    ) -> None:
        info = known.get(name)
        if info is None:
            self.fault(path, f"the tracker has no field {name}")
        elif not info.writable and not is_step:
            self.fault(path, f"the tracker does not let {name} be written")
        elif info.choices and word(value) not in info.choices:
            self.fault(path, f"{name} has no value {word(value)}; it has {', '.join(info.choices)}")

    # The whole

    def required(self) -> None:
        """What the tracker requires of a record is written whenever one may be filed."""
        written = {
            name
            for rule in self.mapping.fields.values()
            if rule.direction.outward
            for name in [rule.remote, *(name for row in (rule.table or {}).values() for name in row.write or ())]
        }
        for name, info in self.metadata.fields.items():
            if info.required and info.writable and name not in written and written:
                self.fault("fields", f"the tracker requires {name}, and nothing is written to it")

    def filing(self) -> None:
        for index, rule in enumerate(self.mapping.filing.inward):
            path = f"filing.in[{index}]"
            for name, wanted in rule.when.items():
                info = self.metadata.fields.get(name)
                if info is None:
                    self.fault(f"{path}.when.{name}", f"the tracker has no field {name}")
                elif info.choices and (unknown := sorted(wanted - {""} - set(info.choices))):
                    self.fault(f"{path}.when.{name}", f"{name} has no value {', '.join(unknown)}")
            self._ticket(f"{path}.ticket", rule.ticket)
            if rule.files:
                self._complete(f"{path}.ticket", rule.ticket)

    def _ticket(self, path: str, ticket: abc.Mapping[str, Value]) -> None:
        for name, value in ticket.items():
            known = self.known.get(name)
            if known is not None and value not in known:
                self.fault(f"{path}.{name}", f"the desk has no {name} {word(value)}")

    def _complete(self, path: str, ticket: abc.Mapping[str, Value]) -> None:
        for name in ("title", "category"):
            rule = self.mapping.fields.get(name)
            if name not in ticket and (rule is None or not rule.direction.inward):
                self.fault(path, f"a ticket needs a {name}: map it inwards or name it under ticket")

    def time(self, capabilities: Capabilities) -> None:
        rule = self.mapping.time_entries
        if rule.direction is not Direction.NONE and capabilities.worklogs is not WorklogKind.ENTRIES:
            self.fault("time_entries", "the tracker keeps no time entry by entry")
