"""Encoded queries: how they are read, what they find, what is refused by name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulators.servicenow_kit import TABLE, ServiceNow, error

from deskbridge.simulators.servicenow.encoded import (
    OPERATORS,
    AnyOf,
    Condition,
    Join,
    Order,
    Query,
    QueryError,
    Related,
    parse,
)


def _is(field: str, value: str, operator: str = "=") -> Condition:
    return Condition(field, operator, value)


def test_or_binds_more_tightly_than_and() -> None:
    a, b, c = _is("a", "1"), _is("b", "2"), _is("c", "3")
    assert parse("a=1^ORb=2^c=3") == Query(((AnyOf((a, b)), AnyOf((c,))),))


def test_nq_separates_alternatives_and_order_concerns_all() -> None:
    a, b = AnyOf((_is("a", "1"),)), AnyOf((_is("b", "2"),))
    order = (Order("x", descending=False), Order("y", descending=True))
    assert parse("a=1^NQb=2^ORDERBYx^ORDERBYDESCy") == Query(((a,), (b,)), order)


def test_empty_parts_and_the_end_mark_mean_nothing() -> None:
    assert parse("") == Query(((),))
    assert parse("^a=1^EQ^") == Query(((AnyOf((_is("a", "1"),)),),))


def test_double_caret_is_a_caret_in_a_value() -> None:
    assert parse("title=a^^b^c=d") == Query(((AnyOf((_is("title", "a^b"),)), AnyOf((_is("c", "d"),))),))


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_told_from_the_field(operator: str) -> None:
    value = "" if operator in {"ISEMPTY", "ISNOTEMPTY", "ANYTHING"} else "x"
    expected = AnyOf((Condition("caller_id.u_name", operator, value),))
    assert parse(f"caller_id.u_name{operator}{value}") == Query(((expected,),))


def test_capitals_in_a_field_are_read_before_a_symbol() -> None:
    assert parse("AAAA=BBBB") == Query(((AnyOf((_is("AAAA", "BBBB"),)),),))


def test_join_as_pysnc_writes_it() -> None:
    read = parse("active=true^JOINsys_user.sys_id=incident.caller_id!priority=1^state=2^ORDERBYname")
    inner = Query(((AnyOf((_is("priority", "1"),)), AnyOf((_is("state", "2"),))),))
    join = Join("sys_user", "sys_id", "incident", "caller_id", inner)
    assert read == Query(((AnyOf((_is("active", "true"),)), join),), (Order("name", descending=False),))


def test_related_list_query_as_pysnc_writes_it() -> None:
    read = parse("RLQUERYincident.caller_id,>=2,m2m^priority=1^ENDRLQUERY^active=true")
    related = Related("incident", "caller_id", ">=", 2, Query(((AnyOf((_is("priority", "1"),)),),)))
    assert read == Query(((related, AnyOf((_is("active", "true"),))),))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("numberMATCH_PATx", "MATCH_PAT"),
        ("opened_atRELATIVEGT@hour@ago@2", "RELATIVEGT"),
        ("opened_atONToday@javascript:gs.beginningOfToday()", "ON"),
        ("stateCHANGESTO3", "CHANGESTO"),
        ("GROUPBYstate", "GROUPBYstate"),
        ("123TEXTQUERY321=printer", "TEXTQUERY"),
        ("number", "number"),
        ("ORDERBY", "ORDERBY"),
        ("ORDERBYa b", "ORDERBYa b"),
        ("JOINbroken", "JOIN"),
        ("RLQUERYincident.caller_id,>1", "ENDRLQUERY"),
        ("RLQUERYincident", "RLQUERY"),
        ("ENDRLQUERY", "ENDRLQUERY"),
        ("stateISEMPTYx", "ISEMPTY"),
    ],
)
def test_what_is_not_supported_is_named(text: str, named: str) -> None:
    with pytest.raises(QueryError, match=named):
        parse(text)


@given(st.text(alphabet="abZ=!<>^@.,ORNQEINJLKYDB\n0é ", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        assert parse(text).groups


def test_long_and_deep_queries_are_read_in_one_go() -> None:
    assert len(parse("^NQ".join(["a=1^ORb=2"] * 30_000)).groups) == 30_000
    with pytest.raises(QueryError):
        parse("a" * 1_000_000)
    with pytest.raises(QueryError, match="JOIN inside a JOIN"):
        parse("JOINa.b=c.d!" * 10_000)
    with pytest.raises(QueryError, match="RLQUERY without ENDRLQUERY"):
        parse("RLQUERYa.b,>1^" * 10_000 + "ENDRLQUERY^" * 10_000)


# What queries find


@pytest.fixture
def now() -> ServiceNow:
    """Four incidents: printer (P1, network), Mail (P5, caller Grace), vpn (closed group), empty title."""
    instance = ServiceNow()
    grace = instance.user("grace.okafor")
    instance.create(short_description="printer on fire", impact=1, urgency=1, category="network")
    instance.clock.advance(1)
    instance.create(short_description="Mail is slow", caller_id=grace)
    instance.clock.advance(1)
    instance.create(short_description="vpn", impact=2, urgency=1, correlation_id="K-1", caller_id=grace)
    instance.create(short_description="", description="no title", due_date="2025-04-01 12:00:00")
    return instance


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("short_description=PRINTER ON FIRE", ["printer on fire"]),
        ("short_description!=vpn^short_descriptionISNOTEMPTY", ["printer on fire", "Mail is slow"]),
        ("priority<=2", ["printer on fire", "vpn"]),
        ("priority>2^priority<5", []),
        ("priorityIN1,2", ["printer on fire", "vpn"]),
        ("priorityNOT IN1,2", ["Mail is slow", ""]),
        ("short_descriptionSTARTSWITHmail", ["Mail is slow"]),
        ("short_descriptionENDSWITHfire", ["printer on fire"]),
        ("short_descriptionLIKEI", ["printer on fire", "Mail is slow"]),
        ("short_descriptionDOES NOT CONTAINi", ["vpn", ""]),
        ("short_descriptionISEMPTY", [""]),
        ("short_description=", [""]),
        ("due_date=NULL^short_descriptionISEMPTY", []),
        ("due_dateBETWEEN2025-04-01@2025-04-02", [""]),
        ("correlation_id=K-1", ["vpn"]),
        ("caller_id.name=Grace Okafor", ["Mail is slow", "vpn"]),
        ("caller_id.user_nameSTARTSWITHgrace", ["Mail is slow", "vpn"]),
        ("caller_idLIKEokafor^ORDERBYDESCnumber", ["vpn", "Mail is slow"]),
        ("caller_id.manager.nameISNOTEMPTY", []),
        ("active=1^category=network", ["printer on fire"]),
        ("activeANYTHING^ORDERBYpriority^ORDERBYDESCnumber", ["printer on fire", "vpn", "", "Mail is slow"]),
        ("sys_updated_on>2025-03-10 09:00:00^sys_updated_on<2025-03-10 09:00:02", ["Mail is slow"]),
        ("sys_updated_on>=javascript:gs.dateGenerate('2025-03-10','09:00:02')", ["vpn", ""]),
        ("opened_by=javascript:gs.getUserID()^short_description=vpn", ["vpn"]),
        ("impactSAMEASurgency^category=network", ["printer on fire"]),
        ("impactNSAMEASurgency", ["vpn"]),
        ("sys_class_nameINSTANCEOFtask^short_description=vpn", ["vpn"]),
        ("short_description=vpn^NQpriority=1", ["printer on fire", "vpn"]),
    ],
)
def test_finds(now: ServiceNow, query: str, expected: list[str]) -> None:
    assert now.titles(query) == expected


def test_keyset_needs_nq_because_or_binds_tightly(now: ServiceNow) -> None:
    """With ^OR the tie-break on sys_id would apply to later rows as well and lose some of them."""
    rows = now.find("ORDERBYsys_updated_on^ORDERBYsys_id")
    for seen in range(len(rows)):
        stamp, last = rows[seen]["sys_updated_on"], rows[seen]["sys_id"]
        query = f"sys_updated_on>{stamp}^NQsys_updated_on={stamp}^sys_id>{last}^ORDERBYsys_updated_on^ORDERBYsys_id"
        assert now.find(query) == rows[seen + 1 :]
    highest = max(row["sys_id"] for row in rows)
    before = "2025-03-10 08:00:00"
    assert now.find(f"sys_updated_on>{before}^ORsys_updated_on={before}^sys_id>{highest}") == []


def test_join_and_related_list_find_users_by_their_incidents(now: ServiceNow) -> None:
    join = now.find("JOINsys_user.sys_id=incident.caller_id!priority=2", "sys_user")
    assert [row["name"] for row in join] == ["Grace Okafor"]
    counted = now.find("RLQUERYincident.caller_id,=2^ENDRLQUERY", "sys_user")
    assert [row["name"] for row in counted] == ["Grace Okafor"]
    nobody = now.find("RLQUERYincident.caller_id,>0^priority=1^ENDRLQUERY", "sys_user")
    assert nobody == []


def test_dates_from_scripts_are_in_the_accounts_time_zone(now: ServiceNow) -> None:
    now.state.set("time_zone", "Asia/Tokyo")
    query = "sys_created_on>=javascript:gs.dateGenerate('2025-03-10','18:00:02')"
    assert now.titles(query) == ["vpn", ""]
    assert now.titles("sys_created_on>=2025-03-10 09:00:02") == ["vpn", ""], "plain values are UTC in any case"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("bunk=1", "bunk"),
        ("caller_id.bunk=1", "caller_id.bunk"),
        ("cmdb_ci.name=x", "cmdb_ci.name"),
        ("number.name=x", "number.name"),
        ("ORDERBYbunk", "bunk"),
        ("sys_updated_on>yesterday", "yesterday"),
        ("sys_updated_on>javascript:gs.daysAgo(1)", "gs.daysAgo"),
        ("priority>high", "high"),
        ("due_dateBETWEEN2025-01-01", "BETWEEN"),
        ("JOINsys_user.sys_id=incident.caller_id!x=1", "begin with the table"),
        ("JOINincident.caller_id=bunk.sys_id!", "bunk"),
        ("RLQUERYbunk.x,>1^ENDRLQUERY", "bunk"),
    ],
)
def test_refuses_by_name_with_the_instances_own_error(now: ServiceNow, query: str, named: str) -> None:
    status, message, detail = error(now.call("GET", f"{TABLE}/incident", None, query=query))
    assert (status, message) == (400, "Invalid query")
    assert named in (detail or "")


def test_unknown_fields_are_dropped_or_find_nothing_when_so_configured(now: ServiceNow) -> None:
    now.state.set("option.invalid_query", "ignore")
    assert now.titles("bunk=1^priority=1^ORDERBYbunk") == ["printer on fire"]
    now.state.set("option.invalid_query", "no_rows")
    assert now.titles("bunk=1^ORpriority=1") == ["printer on fire"]
    assert now.titles("bunk=1^priority=1") == []
