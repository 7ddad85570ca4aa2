"""Polarion's query language: what parses to what, what it matches, and what is refused by name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulators.polarion_kit import ITEMS, Polarion, error

from deskbridge.simulators.polarion.lucene import (
    Boolean,
    Clause,
    Everything,
    Occur,
    QueryError,
    Range,
    Term,
    Wildcard,
    parse,
)

A, B, C = Term("a", "1", quoted=False), Term("b", "2", quoted=False), Term("c", "3", quoted=False)


def boolean(*clauses: tuple[Occur, object]) -> Boolean:
    return Boolean(tuple(Clause(occur, node) for occur, node in clauses))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("", Everything()),
        ("*:*", Everything()),
        ("a:1", A),
        ("(a:1)", A),
        ('a:"x y"', Term("a", "x y", quoted=True)),
        ("word", Term(None, "word", quoted=False)),
        (r"a:x\:y\*", Term("a", "x:y*", quoted=False)),
        ("a:x-y+z/w", Term("a", "x-y+z/w", quoted=False)),
        ("a:x*y?", Wildcard("a", (("x", True), ("*", False), ("y", True), ("?", False)))),
        ("a:[1 TO 2]", Range("a", "1", "2", includes_low=True, includes_high=True)),
        ("a:{1 TO *]", Range("a", "1", None, includes_low=False, includes_high=True)),
        ("a:[$today - 7d$ TO $today$]", Range("a", "$today - 7d$", "$today$", includes_low=True, includes_high=True)),
        ("a:1 b:2", boolean((Occur.SHOULD, A), (Occur.SHOULD, B))),
        ("a:1 OR b:2", boolean((Occur.SHOULD, A), (Occur.SHOULD, B))),
        ("a:1 || b:2", boolean((Occur.SHOULD, A), (Occur.SHOULD, B))),
        ("a:1 AND b:2", boolean((Occur.MUST, A), (Occur.MUST, B))),
        ("a:1 && b:2", boolean((Occur.MUST, A), (Occur.MUST, B))),
        ("+a:1 -b:2", boolean((Occur.MUST, A), (Occur.MUST_NOT, B))),
        ("NOT a:1", boolean((Occur.MUST_NOT, A))),
        ("a:1 !b:2", boolean((Occur.SHOULD, A), (Occur.MUST_NOT, B))),
    ],
)
def test_queries_parse_into_typed_trees(query: str, tree: object) -> None:
    assert parse(query) == tree


def test_operators_have_no_precedence_as_in_lucene() -> None:
    """`a OR b AND c` demands b and c and merely likes a: AND marks its neighbours, it does not bind tighter."""
    assert parse("a:1 OR b:2 AND c:3") == boolean((Occur.SHOULD, A), (Occur.MUST, B), (Occur.MUST, C))


def test_a_field_holds_for_its_whole_group() -> None:
    assert parse("a:(1 OR 2)") == boolean((Occur.SHOULD, A), (Occur.SHOULD, Term("a", "2", quoted=False)))


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("title:x^2", "Boosting"),
        ("title:x~", "Fuzzy"),
        ('title:"x y"~3', "Fuzzy and proximity"),
        ("title:/x.*/", "Regular expressions"),
        ("SQL:(select)", "SQL queries"),
        ("title:*x", "first character"),
        ("title:*", "first character"),
        ("linkedWorkItems:DESK-1", "linkedWorkItems"),
        ("title:[a TO b]", "Range queries on the field 'title'"),
        ("updated:[20250101T1000 TO *]", "time of day"),
        ("updated:202501011000", "time of day"),
        ("updated:[yesterday TO *]", "not a day"),
        ("updated:2025*", "Wildcards"),
        ("priority:[low TO *]", "not a number"),
        ('title:"open', "closing quote"),
        ("updated:[1 TO 2", "closing bracket"),
        ("updated:[1 2]", "[low TO high]"),
        ("updated:[ TO 2]", "lacks one of its ends"),
        ("title:", "end of the query"),
        ("(title:x", "end of the query"),
        ("title:x)", "')'"),
        ("a:b:c", "':'"),
        ("AND a", "'AND'"),
        ("a OR AND b", "'AND'"),
        ("]", "']'"),
        ("a\\", "escape"),
        ("()", "')'"),
        ("HAS_VALUE:x*", "HAS_VALUE"),
        ("updated:$today+99999y$", "out of range"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_with_400(query: str, named: str) -> None:
    refused = Polarion().call("GET", ITEMS, query=query)
    assert refused.status == 400
    assert named in error(refused)["detail"]
    assert error(refused)["source"] == {"parameter": "query"}


def test_hostile_queries_end_in_an_error_not_in_a_crash() -> None:
    for query in ("(" * 5000, "a:" * 5000, "a " * 3000, "NOT " * 5000, "-" * 5000, "a:[" * 500):
        with pytest.raises(QueryError):
            parse(query)


@given(st.text(alphabet='ab:()[]{}"*?\\+-!~^/&| TO$AND', max_size=40))
def test_any_text_parses_or_is_a_query_error(query: str) -> None:
    """Nothing but QueryError may leave the parser: RecursionError or IndexError would be a stack trace to a client."""
    with contextlib.suppress(QueryError):
        assert parse(query) == parse(query)


# --- matching


@pytest.fixture
def desk() -> Polarion:
    """DESK-1 a defect on day one, DESK-2 a task a day later, DESK-3 a done task another day later."""
    polarion = Polarion()
    polarion.create(type="defect", title="Printer on fire", severity="critical", priority="90.0", deskRef="T-1042")
    polarion.clock.advance(86400)
    polarion.create(title="Order paper for the printers", priority="50.0", dueDate="2025-04-01")
    polarion.clock.advance(86400)
    polarion.create(title="Résumé: CV änderung 日本", priority="45", status="done", resolution="done", deskRef="T-10")
    return polarion


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3]),
        ("*:*", [1, 2, 3]),
        ("type:defect", [1]),
        ("type:task AND NOT status:done", [2]),
        ("NOT status:done", [1, 2]),
        ("status:(open done)", [1, 2, 3]),
        ("status:open OR (NOT type:task)", [1, 2]),
        ("id:DESK-2", [2]),
        ("id:DESK-?", [1, 2, 3]),
        ("project.id:DESK", [1, 2, 3]),
        ("project:OTHER", []),
        ("title:printer", [1]),
        ("title:PRINT*", [1, 2]),
        ("title:p*r?", [2]),
        ('title:"printer on"', [1]),
        ('title:"on printer"', []),
        ("title:änderung", [3]),
        ("title:日本", [3]),
        ("printer", [1]),
        ("DESK-2 OR fire", [1, 2]),
        ("severity:critical", [1]),
        ("severity.KEY:critical", [1]),
        ("priority:90", [1]),
        ("priority:(high highest)", [1]),
        ("priority:medium", [2, 3]),
        ("priority:[45 TO 50]", [2, 3]),
        ("priority:{45 TO 50]", [2]),
        ("resolution:done", [3]),
        ("HAS_VALUE:resolution", [3]),
        ("NOT HAS_VALUE:resolution", [1, 2]),
        ("HAS_VALUE:assignee", []),
        ('deskRef:"T-1042"', [1]),
        ('deskRef:"T-10"', [3]),
        ("deskRef:T-10", [3]),
        ("author:desk", [1, 2, 3]),
        ("author.id:$current_user$", [1, 2, 3]),
        ("updated:20250310", [1]),
        ("updated:2025-03-11", [2]),
        ("created:[20250311 TO *]", [2, 3]),
        ("updated:[20250310 TO 20250311]", [1, 2]),
        ("updated:{20250310 TO 20250312}", [2]),
        ("updated:[$today-1d$ TO $today$]", [2, 3]),
        ("updated:[$today - 1w$ TO $today]", [1, 2, 3]),
        ("dueDate:[* TO 20250401]", [2]),
        ("resolvedOn:$today$", [3]),
        # not indexed in the real product either: no error, no hits
        ("description:anything", []),
        ("module:X", []),
        ("noSuchField:x", []),
    ],
)
def test_what_queries_find(desk: Polarion, query: str, ids: list[int]) -> None:
    assert desk.find(query) == [f"DESK-{number}" for number in ids]


def test_date_ranges_are_whole_days_so_nothing_of_the_last_day_is_missed(desk: Polarion) -> None:
    """Trap: there is no time of day in the index; a poller must read the whole day and compare `updated` itself."""
    desk.clock.advance(60)
    late = desk.create(title="Late on the same day")
    assert late in desk.find("updated:[20250312 TO 20250312]")


def test_results_are_sorted_as_asked_and_by_number_otherwise(desk: Polarion) -> None:
    for number in range(4, 12):
        desk.create(title=f"No {number}")
    assert desk.find("")[-2:] == ["DESK-10", "DESK-11"]
    desk.clock.advance(1)
    desk.patch("DESK-2", {"title": "Touched"})
    assert desk.find("", sort="-updated")[0] == "DESK-2"
    assert desk.find("DESK-1 OR DESK-2 OR DESK-3", sort="-priority,id") == ["DESK-1", "DESK-2", "DESK-3"]
    assert error(desk.call("GET", ITEMS, sort="nonsense"))["source"] == {"parameter": "sort"}


def test_wildcards_match_in_bounded_time(desk: Polarion) -> None:
    desk.create(title="a" * 5000)
    assert desk.find("title:" + "a*" * 200 + "b") == []
