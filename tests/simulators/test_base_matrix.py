"""The marks of the conformance tests, and the table made of them."""

import pytest
from tests.simulators.conformance import matrix
from tests.simulators.conformance.matrix import Cell, conforms, lacks
from tools.conformance import render


def test_a_test_carries_its_cells() -> None:
    @conforms(client="pysnc", operation="get")
    @conforms(client="pysnc", operation="update")
    def example() -> None: ...

    assert example.__dict__["conforms"] == [Cell("pysnc", "update"), Cell("pysnc", "get")]


@pytest.mark.parametrize(("client", "operation"), [("bugzilla", "get"), ("jira", "fly")])
def test_a_cell_outside_the_matrix_is_refused(client: str, operation: str) -> None:
    with pytest.raises(ValueError, match=f"{client}, {operation}"):
        conforms(client=client, operation=operation)


def test_the_table_tells_what_passed_what_is_lacking_and_what_is_untested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "absent", {})
    lacks(client="pysnc", operation="worklogs", because="no such table")
    text = render({("jira", "create"): 3})
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("|")}
    assert rows["create"] == "| create | ✓ 3 | not tested | not tested | not tested | not tested | not tested |"
    assert "not offered" in rows["worklogs"]
    assert "- `pysnc`, worklogs: no such table" in text
