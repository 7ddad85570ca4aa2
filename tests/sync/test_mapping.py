"""What a mapping says: values both ways, filing, and every fault in a text with its line."""

import re
from datetime import UTC, datetime
from textwrap import dedent

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from deskbridge.connectors.registry import kinds, shipped_mapping
from deskbridge.sync.connector import Audience, Value
from deskbridge.sync.mapping import Direction, FieldRule, Mapping, MappingRefused, Policy, Unmapped, WhenUnmapped
from deskbridge.sync.mapping_text import parse
from deskbridge.sync.vocabulary import DESK_FIELDS, People, unfit, word
from deskbridge.sync.yaml_text import LONGEST

SHIPPED = {kind: parse(shipped_mapping(kind)) for kind in kinds()}
PEOPLE = People(remote={"anna": "r-1", "ben": "r-2"}, desk={"r-1": "anna", "r-2": "ben"})
TABLED = [
    pytest.param(rule, id=f"{kind}-{name}")
    for kind, mapping in SHIPPED.items()
    for name, rule in mapping.fields.items()
    if rule.table is not None and rule.direction is Direction.BOTH
]
SMALL = """\
version: 1
product: jira
record: issue
fields:
  title:
    remote: summary
    direction: both
    conflict: newest
"""


def with_field(text: str) -> str:
    """A small mapping with one more field, indented as it must be."""
    return SMALL + "".join(f"  {line}\n" for line in dedent(text).strip().splitlines())


def faults(text: str) -> list[str]:
    with pytest.raises(MappingRefused) as refused:
        parse(text)
    return [str(fault) for fault in refused.value.faults]


def rule_of(text: str) -> FieldRule:
    return list(parse(with_field(text)).fields.values())[-1]


PRIORITY = """
priority:
  remote: urgency
  values:
    "1": {desk: [P1, P2], inbound: P2}
    "2": {desk: [P3], inbound: P3, write: {impact: "2", urgent: true}}
    "3": {desk: [P4], inbound: P4}
    "9": {desk: [], inbound: P4}
"""


# Values


def test_a_class_shares_one_value_of_the_tracker() -> None:
    rule = rule_of(PRIORITY)
    assert [rule.project(value) for value in ("P1", "P2", "P3", "P4")] == ["1", "1", "2", "3"]
    assert rule.inbound("1", "P1") == "P1"
    assert rule.inbound("1", "P4") == "P2"
    assert rule.inbound("9", "P4") == "P4"
    assert rule.inbound("9", "P1") == "P4"


def test_what_is_written_can_be_other_fields() -> None:
    rule = rule_of(PRIORITY)
    assert rule.write("P1") == {"urgency": "1"}
    assert rule.write("P3") == {"impact": "2", "urgent": True}


def test_a_value_nobody_mapped_is_refused_by_name() -> None:
    rule = rule_of(PRIORITY)
    with pytest.raises(Unmapped, match=r"priority: '7' is not mapped"):
        rule.inbound("7", "P1")
    with pytest.raises(Unmapped, match=r"priority: None is not mapped"):
        rule.inbound(None, "P1")
    with pytest.raises(Unmapped, match=r"priority: 'P5' is not mapped"):
        rule.project("P5")


def test_nothing_is_nothing_where_a_ticket_may_have_none() -> None:
    rule = rule_of(
        'environment: {remote: env, direction: in, values: {"p": {desk: [PRODUCTION], inbound: PRODUCTION}}}'
    )
    assert rule.inbound(None, "PRODUCTION") is None
    assert rule.inbound("", "PRODUCTION") is None


def test_people_go_by_the_map_of_users() -> None:
    rule = rule_of("assignee: {remote: assignee}")
    assert rule.project("anna", PEOPLE) == "r-1"
    assert rule.inbound("r-2", "anna", PEOPLE) == "ben"
    assert rule.project(None, PEOPLE) is None
    assert rule.inbound(None, "anna", PEOPLE) is None
    with pytest.raises(Unmapped):
        rule.project("carla", PEOPLE)
    with pytest.raises(Unmapped):
        rule.inbound("r-3", "anna", PEOPLE)


def test_two_of_ours_who_are_one_over_there_stay_who_they_are() -> None:
    people = People(remote={"anna": "r-1", "robot": "r-1"}, desk={"r-1": "anna"})
    rule = rule_of("assignee: {remote: assignee}")
    assert rule.inbound("r-1", "robot", people) == "robot"
    assert rule.inbound("r-1", "carla", people) == "anna"


def test_a_text_too_long_for_the_tracker_begins_there() -> None:
    rule = rule_of("description: {remote: text, longest: 20}")
    long = "The printer on floor two is on fire."
    assert rule.project(long) == "The printer on floo…"
    assert rule.inbound("The printer on floo…", long) == long
    assert rule.inbound("The printer", long) == "The printer"
    assert rule.is_cut(long)
    assert not rule.is_cut("The printer")


@pytest.mark.parametrize("rule", TABLED)
def test_what_goes_out_comes_back(rule: FieldRule) -> None:
    """The laws of a table, over every value of either side: shipped mappings all keep them."""
    table = rule.table or {}
    for value in sorted({one for row in table.values() for one in row.desk}):
        assert rule.inbound(rule.project(value), value) == value
    for remote, row in table.items():
        for current in sorted(DESK_FIELDS[rule.desk].choices) or ["SUPPORT", "BUG"]:
            if row.desk:
                assert rule.project(rule.inbound(remote, current)) == remote


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table of priorities in YAML: any partition into classes, any member of a class inbound."""
    homes = {value: draw(st.integers(0, 4)) for value in ("P1", "P2", "P3", "P4")}
    rows = []
    for remote in range(5):
        desk = sorted(value for value, home in homes.items() if home == remote)
        inbound = draw(st.sampled_from(desk or ["P1", "P4"]))
        rows.append(f'    "{remote}": {{desk: [{", ".join(desk)}], inbound: {inbound}}}')
    return with_field("priority:\n  remote: urgency\n  values:\n" + "\n".join(rows))


@given(tables())
def test_the_laws_hold_for_every_mapping_that_is_accepted(text: str) -> None:
    rule = parse(text).fields["priority"]
    for value in ("P1", "P2", "P3", "P4"):
        assert rule.inbound(rule.project(value), value) == value
    for remote, row in (rule.table or {}).items():
        for current in (None, "P1", "P2", "P3", "P4"):
            if row.desk:
                assert rule.project(rule.inbound(remote, current)) == remote


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from([None, 20, 40]))
@example("a" * 41, "a" * 39 + "…", 40)
def test_the_laws_hold_for_texts(mine: str, theirs: str, longest: int | None) -> None:
    rule = FieldRule("description", "text", Direction.BOTH, Policy.NEWEST, longest=longest)
    assert rule.inbound(rule.project(mine), mine or None) == (mine or None)
    assume(longest is None or len(theirs) <= longest)
    assert rule.project(rule.inbound(theirs, mine)) == (theirs or None)


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_the_laws_hold_for_tags(mine: set[str], theirs: set[str]) -> None:
    rule = FieldRule("tags", "labels", Direction.BOTH, Policy.NEWEST)
    assert rule.inbound(rule.project(tuple(mine)), tuple(mine)) == tuple(sorted(mine))
    assert rule.project(rule.inbound(tuple(theirs), tuple(mine))) == tuple(sorted(theirs))


# What a ticket could hold


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("title", "ab", "title: 'ab' has 2 characters, 3 are the fewest"),
        ("title", "x" * 201, "201 characters, 200 are the most"),
        ("title", None, "title: a ticket needs one"),
        ("description", "x" * 50_001, "50001 characters, 50000 are the most"),
        ("priority", "P9", "priority: 'P9' is none of P1, P2, P3, P4"),
        ("tags", ("x" * 51,), "has a tag of 51 characters, 50 are the most"),
        ("tags", tuple(map(str, range(21))), "has 21 tags, 20 are the most"),
        ("tags", "red", "is no list of tags"),
        ("created_at", datetime(2026, 1, 1), "is no date with a time"),  # noqa: DTZ001 - that is the point
        ("created_at", "yesterday", "is no date with a time"),
        ("time_spent_minutes", -1, "is no whole number"),
        ("assignee", 7, "is nobody"),
        ("title", 7, "is no text"),
    ],
)
def test_what_a_ticket_could_not_hold_is_named(name: str, value: Value, problem: str) -> None:
    assert problem in (unfit(name, value) or "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "x" * 200),
        ("environment", None),
        ("priority", "P1"),
        ("tags", ()),
        ("tags", ("a", "b")),
        ("created_at", datetime(2026, 1, 1, tzinfo=UTC)),
        ("time_spent_minutes", 0),
        ("category", "ANYTHING_THE_ADMINISTRATOR_NAMES"),
        ("assignee", "anna"),
    ],
)
def test_what_a_ticket_can_hold_is_fit(name: str, value: Value) -> None:
    assert unfit(name, value) is None


def test_words_are_as_a_mapping_would_write_them() -> None:
    assert [word(value) for value in (None, True, False, 3, "x")] == ["", "true", "false", "3", "x"]


# Filing

FILING = """
filing:
  out:
    - when: {channel: [EMAIL]}
      file: false
    - when: {team: [R&D, Admin], priority: P1}
      file: true
    - when: {tags: [urgent]}
      file: true
  in:
    - when: {IsClosed: true}
      ticket: false
    - when: {Origin: [Web, Phone], IsClosed: false}
      ticket: {team: Support, tags: [case, web]}
    - when: {Owner: null}
      ticket: {}
"""


@pytest.fixture(scope="module")
def filing() -> Mapping:
    return parse(SMALL + FILING.lstrip("\n"))


@pytest.mark.parametrize(
    ("facts", "yes", "reason"),
    [
        ({"channel": "EMAIL", "tags": ("urgent",)}, False, "channel is EMAIL (line 11 of the mapping)"),
        ({"channel": "PORTAL", "team": "R&D", "priority": "P1"}, True, "team is R&D and priority is P1 (line 13"),
        ({"channel": "PORTAL", "team": "R&D", "priority": "P2"}, False, "no filing rule holds"),
        ({"channel": "PORTAL", "tags": ("blue", "urgent")}, True, "tags is urgent"),
        ({"channel": "PORTAL", "tags": ()}, False, "no filing rule holds"),
    ],
)
def test_the_first_rule_that_holds_files_a_ticket(
    filing: Mapping, facts: dict[str, Value], yes: bool, reason: str
) -> None:
    decision = filing.filing.out(facts)
    assert (decision.yes, decision.reason[: len(reason)]) == (yes, reason)


def test_the_first_rule_that_holds_makes_a_record_a_ticket(filing: Mapping) -> None:
    decided = filing.filing.into({"Origin": "Web", "IsClosed": False, "Owner": "x"})
    assert decided.yes
    assert decided.ticket == {"team": "Support", "tags": ("case", "web")}
    assert decided.line == 20
    assert not filing.filing.into({"Origin": "Web", "IsClosed": True}).yes
    assert filing.filing.into({"Origin": "Mail", "IsClosed": False}).reason == "Owner is empty (line 22 of the mapping)"
    assert not filing.filing.into({"Origin": "Mail", "IsClosed": False, "Owner": "x"}).yes


def test_a_rule_that_asks_nothing_always_holds() -> None:
    decided = parse(SMALL + "filing:\n  out:\n    - {when: {}, file: true}\n").filing.out({})
    assert (decided.yes, decided.reason) == (True, "always (line 11 of the mapping)")


# The text


@pytest.mark.parametrize("kind", kinds())
def test_shipped_mappings_are_read(kind: str) -> None:
    mapping = SHIPPED[kind]
    assert mapping.product == kind
    assert {"title", "status"} <= set(mapping.fields)
    assert mapping.text == shipped_mapping(kind)


def test_what_is_left_out_has_a_meaning() -> None:
    mapping = parse(with_field("time_spent_minutes: {remote: minutes, direction: out}"))
    assert mapping.comments.direction is mapping.attachments.direction is Direction.NONE
    assert not mapping.resolution_comment
    assert not mapping.filing.out({"channel": "PORTAL"}).yes
    rule = mapping.fields["time_spent_minutes"]
    assert (rule.conflict, rule.unmapped, rule.at_create) == (Policy.DESK, WhenUnmapped.REFUSE, False)
    assert parse(with_field("tags: {remote: labels, direction: in}")).fields["tags"].conflict is Policy.REMOTE
    assert rule_of("created_at: {remote: opened}").at_create


def test_which_audiences_leave_the_desk_can_be_said() -> None:
    mapping = parse(f"{SMALL}comments: {{direction: both, audiences: [public]}}\nattachments: in\n")
    assert mapping.comments.audiences == {Audience.PUBLIC}
    assert mapping.attachments.audiences == set(Audience)
    assert mapping.attachments.direction is Direction.IN


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: mapping: it is empty"),
        ("version: [", "line 1: mapping: expected the node content"),
        ("- a", "line 1: mapping: must be a table of `name: value`"),
        ("version: 1\nproduct: jira\nrecord: issue\n", "line 1: mapping: fields is missing"),
        (SMALL.replace("version: 1", "version: 2"), "line 1: version: must be a whole number from 1 to 1"),
        (SMALL + "flavour: sweet\n", "line 9: flavour: flavour is not known here; known are version, product"),
        (SMALL + "version: 1\n", "line 9: version: version is there twice"),
        (SMALL + "comments: often\n", "line 9: comments: must be one of both, out, in, none"),
        (SMALL + "comments: {audiences: [public]}\n", "line 9: comments: direction is missing"),
        (SMALL + "resolution_notes: field\n", "line 9: resolution_notes: must be comment"),
        (SMALL.replace("product: jira", "product: &a jira"), "line 2: mapping: anchors and aliases are not allowed"),
        (SMALL.replace("product: jira", "product: *a"), "line 2: mapping: anchors and aliases are not allowed"),
        (SMALL.replace("product: jira", "product: !!python/name:os.system x"), "line 2: mapping: the tag"),
        (SMALL.replace("product: jira", f"product: {'[' * 40}{']' * 40}"), "nested deeper than 12 levels"),
        (SMALL.replace("product: jira", "product: 'it\x07'"), "line 1: mapping: it cannot be read as text"),
        (SMALL + "#" * LONGEST, "line 1: mapping: it is longer than 256 KiB"),
        (SMALL.replace("product: jira", "product: [jira]"), "line 2: product: must be a single value"),
        (SMALL.replace("product: jira", "product:"), "line 2: product: must not be empty"),
        (SMALL.replace("product: jira", f"product: {'x' * 201}"), "line 2: product: must have at most 200 characters"),
        ("a: 1\n---\nb: 2", "line 2: mapping: but found another document"),
    ],
)
def test_a_text_that_is_no_mapping_is_refused_with_its_line(text: str, fault: str) -> None:
    assert any(fault in found for found in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("colour: {remote: x}", "line 9: fields.colour: a ticket has no field colour; it has title, description"),
        ("tags: {direction: both}", "line 9: fields.tags: remote is missing"),
        ("tags: {remote: x, way: both}", "line 9: fields.tags.way: way is not known here"),
        ("tags: {remote: x, direction: up}", "line 9: fields.tags.direction: must be one of both, out, in"),
        ("tags: {remote: x, direction: none}", "must be both, out or in"),
        ("tags: {remote: x, conflict: coin}", "must be one of desk, remote, newest, ask"),
        ("tags: {remote: x, at: close}", "line 9: fields.tags.at: must be create"),
        ("tags: {remote: x, unmapped: guess}", "must be one of refuse, keep"),
        ("tags: {remote: x, longest: 40}", "tags is no text"),
        ("description: {remote: x, longest: 4}", "must be a whole number from 20 to 1000000"),
        ("description: {remote: x, longest: many}", "must be a whole number from 20 to 1000000"),
        ("tags: {remote: x, demands: {a: {b: c}}}", "goes with status only"),
        ("tags: {remote: x, announce: {CLOSED: Over}}", "goes with status only"),
        ("tags: {remote: x, values: {}}", "tags has no values of a fixed choice"),
        ("tags: {remote: summary}", "title writes summary already"),
        ("priority: {remote: x}", "line 9: fields.priority: values is missing"),
        ("time_spent_minutes: {remote: x, direction: both}", "must be out: the desk counts time_spent_minutes itself"),
        ("status: {remote: x, at: create, values: {}}", "a status is brought about once the record is there"),
        ("status: {remote: x, values: {}, announce: {LOST: Gone}}", "status: 'LOST' is none of"),
        ("status: {remote: x, values: {}, announce: {OPEN: ''}}", "fields.status.announce.OPEN: must not be empty"),
        ('priority: {remote: x, values: {"1": {desk: [P1, P2, P3], inbound: P1}}}', "not mapped: P4"),
        ('priority: {remote: x, values: {"1": {desk: [P1]}}}', "fields.priority.values.1: inbound is missing"),
        (
            'priority: {remote: x, values: {"1": {desk: P1, inbound: P1}}}',
            "fields.priority.values.1.desk: must be a list",
        ),
        ('priority: {remote: x, values: {"1": {desk: [P7], inbound: P1}}}', "priority: 'P7' is none of P1, P2, P3, P4"),
        ('priority: {remote: x, values: {"1": {desk: [], inbound: P7}}}', "priority: 'P7' is none of P1, P2, P3, P4"),
        ('priority: {remote: x, values: {"1": {desk: [P1], inbound: P2}}}', "inbound must be of the class"),
        (
            'priority: {remote: x, values: {"1": {desk: [P1], inbound: P1}, "2": {desk: [P1], inbound: P1}}}',
            "fields.priority.values.2: P1 is in the class of 1 already",
        ),
        (
            'priority: {remote: x, values: {"1": {desk: [P1], inbound: P1}, "1": {desk: [P1], inbound: P1}}}',
            "fields.priority.values.1: 1 is there twice",
        ),
    ],
)
def test_a_field_that_makes_no_sense_is_refused_with_its_line(text: str, fault: str) -> None:
    assert any(fault in found for found in faults(with_field(text))), faults(with_field(text))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("out:\n    - {file: true}", "filing.out[0]: when is missing"),
        ("out:\n    - {when: {mood: [bad]}, file: true}", "a ticket has no mood; a rule may ask for title"),
        ("out:\n    - {when: {channel: [FAX]}, file: true}", "channel is never FAX; it is one of API, EMAIL"),
        ("out:\n    - {when: {channel: [API]}, file: perhaps}", "filing.out[0].file: must be true or false"),
        ("in:\n    - {when: {}, ticket: true}", "must be a table of the ticket's values"),
        ("in:\n    - {when: {}, ticket: {mood: bad}}", "mood is no field to begin a ticket with"),
        ("in:\n    - {when: {}, ticket: {requester: x}}", "requester is no field to begin a ticket with"),
        ("in:\n    - {when: {}, ticket: {priority: P7}}", "priority: 'P7' is none of P1, P2, P3, P4"),
        ("in: {when: {}}", "filing.in: must be a list"),
        ("up: []", "filing.up: up is not known here; known are out, in"),
    ],
)
def test_a_filing_rule_that_makes_no_sense_is_refused_with_its_line(rule: str, fault: str) -> None:
    found = faults(f"{SMALL}filing:\n  {rule}\n")
    assert any(fault in one for one in found), found


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    found = faults(with_field("colour: {remote: x}\ntags: {remote: summary}\nstatus: {remote: y}"))
    assert [re.match(r"line (\d+)", one)[1] for one in found] == ["9", "10", "11"]  # type: ignore[index]


@given(st.text(max_size=300))
@example("? [a]\n: b")
@example("!!binary x")
@example("a: <<: *x")
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(MappingRefused) as refused:
        parse(text)
    assert all(fault.line >= 1 and fault.message for fault in refused.value.faults)


@given(st.data())
def test_a_mapping_with_a_character_changed_is_read_or_refused(data: st.DataObject) -> None:
    text = shipped_mapping("servicenow")
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from("x:{}[]\"'#&*!- \n\t")) + text[place + 1 :]
    try:
        assert parse(changed).text == changed
    except MappingRefused as refused:
        assert refused.faults  # noqa: PT017 - either is right
