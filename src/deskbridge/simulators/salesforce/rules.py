"""What the org's administrator set up for cases: derived fields, validation, assignment, tracked changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.salesforce.errors import SaveError
from deskbridge.simulators.salesforce.objects import CASE, CASE_HISTORY, CONTACT, GROUP
from deskbridge.simulators.salesforce.org import Org, Row

WEB_QUEUE = "Support_Queue"
_TRACKED = ("Status", "Priority", "OwnerId", "Reason", "Type", "Origin")
_FIRST_CASE = 1000


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A save is refused with `message` at `field` where `broken` holds for the row as it would become."""

    name: str
    broken: Callable[[Mapping[str, Any]], bool]
    message: str
    field: str


VALIDATION_RULES: Sequence[ValidationRule] = (
    ValidationRule(
        "Closing_needs_a_reason",
        lambda row: bool(row["IsClosed"] and not row["Reason"]),
        "Choose a case reason before you close the case.",
        "Reason",
    ),
    ValidationRule(
        "Minutes_are_not_negative",
        lambda row: (row["Desk_Minutes__c"] or 0) < 0,
        "Minutes worked cannot be negative.",
        "Desk_Minutes__c",
    ),
)


def prepare_case(org: Org, old: Row | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of a case with what follows from them; SaveError when a validation rule refuses the result."""
    derived = dict(changes)
    _refuse_blanks(derived)
    merged = {**_blank(), **(old or {}), **derived}
    if old is None:
        derived["CaseNumber"] = f"{org.state.next('CaseNumber', _FIRST_CASE):08d}"
        merged["Status"] = derived["Status"] = merged["Status"] or _default_status()
    if org.auto_assign and (queue := _assigned(org, merged)):
        derived["OwnerId"] = queue
    derived |= _closing(org, old, merged) | _contact(org, old, merged)
    _validate(org, {**merged, **derived})
    return derived


def track(org: Org, old: Row | None, new: Row) -> None:
    """Write the case's history: that it was created, or each tracked field that changed."""
    if old is None:
        _write_history(org, new, "created", None, None)
        return
    for name in _TRACKED:
        if old[name] != new[name]:
            _write_history(org, new, name.removesuffix("Id"), old[name], new[name])


def _refuse_blanks(changes: dict[str, Any]) -> None:
    if "Status" in changes and changes["Status"] is None:
        raise SaveError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Status]", "Status")
    if changes.get("OwnerId", "") is None:
        raise SaveError("REQUIRED_FIELD_MISSING", "Required fields are missing: [OwnerId]", "OwnerId")


def _blank() -> dict[str, Any]:
    return {field.name: field.default for field in CASE.fields}


def _default_status() -> str | None:
    field = CASE.field("Status")
    return field.first_choice if field else None


def _assigned(org: Org, row: Mapping[str, Any]) -> str | None:
    """The queue of the active assignment rule: whatever comes from the web belongs to it, on every save."""
    if row["Origin"] != "Web":
        return None
    return next((str(group["Id"]) for group in org.table(GROUP).by("DeveloperName", WEB_QUEUE)), None)


def _closing(org: Org, old: Row | None, row: Mapping[str, Any]) -> dict[str, Any]:
    field = CASE.field("Status")
    closed = any(choice.closed and choice.value == row["Status"] for choice in field.choices) if field else False
    was_closed = bool(old and old["IsClosed"])
    if closed == was_closed:
        return {"IsClosed": closed}
    return {"IsClosed": closed, "ClosedDate": org.now if closed else None}


def _contact(org: Org, old: Row | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """A case takes its account and e-mail address from its contact."""
    if row["ContactId"] == (old["ContactId"] if old else None):
        return {}
    contact = org.get(CONTACT, row["ContactId"] or "")
    account = row["AccountId"] or (contact["AccountId"] if contact else None)
    return {"AccountId": account, "ContactEmail": contact["Email"] if contact else None}


def _validate(org: Org, row: Mapping[str, Any]) -> None:
    if org.option("validation_rules", "on") == "off":
        return
    for rule in VALIDATION_RULES:
        if rule.broken(row):
            raise SaveError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, rule.field)


def _write_history(org: Org, case: Row, field: str, old: object, new: object) -> None:
    values = {"CaseId": case["Id"], "Field": field, "OldValue": old, "NewValue": new}
    org.insert(CASE_HISTORY, values)
