"""Which client's test shows which operation: the marks that docs/reference/simulators.md is generated from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

OPERATIONS = (
    "connect",
    "create",
    "get",
    "update",
    "search changed since",
    "comments",
    "transitions",
    "attachments",
    "worklogs",
    "delete",
    "errors",
    "paging",
    "throttling",
)
CLIENTS = {
    "jira": "Jira",
    "atlassian-python-api": "Jira",
    "pysnc": "ServiceNow",
    "simple-salesforce": "Salesforce",
    "polarion-rest-api-client": "Polarion",
    "polarion-rest-client": "Polarion",
}

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cell:
    """One client and one operation of the matrix."""

    client: str
    operation: str


# What a client does not offer at all, with the reason the table gives.
absent: dict[Cell, str] = {}


def conforms(*, client: str, operation: str) -> Callable[[Test], Test]:
    """Mark a test as evidence that `client` does `operation` against its simulator; a test may carry several."""
    cell = _cell(client, operation)

    def mark(test: Test) -> Test:
        test.__dict__.setdefault("conforms", []).append(cell)
        return test

    return mark


def lacks(*, client: str, operation: str, because: str) -> None:
    """Declare, at module level, an operation the client has no way to do (so there is nothing to test)."""
    absent[_cell(client, operation)] = because


def _cell(client: str, operation: str) -> Cell:
    if client not in CLIENTS or operation not in OPERATIONS:
        raise ValueError(f"no cell of the matrix: {client}, {operation}")
    return Cell(client, operation)
