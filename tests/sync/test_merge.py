"""One field merged: every case by hand, and laws that hold for all of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbridge.sync.connector import Value
from deskbridge.sync.mapping import Direction, FieldRule, Policy, Row, WhenUnmapped
from deskbridge.sync.merge import Base, Origin, Outcome, Side, merge_field, said_as, same_words
from deskbridge.sync.vocabulary import People

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
PEOPLE = People(remote={"anna": "r-1", "ben": "r-2"}, desk={"r-1": "anna", "r-2": "ben"})
TABLE = {
    "new": Row(frozenset({"NEW"}), "NEW"),
    "work": Row(frozenset({"OPEN", "IN_PROGRESS", "REOPENED", "ESCALATED", "PENDING_INFO"}), "IN_PROGRESS"),
    "done": Row(frozenset({"RESOLVED", "CLOSED"}), "RESOLVED"),
    "void": Row(frozenset(), "CLOSED"),
}
REVIEW = Row(frozenset(), "IN_PROGRESS")


def rule(
    desk: str = "title",
    direction: Direction = Direction.BOTH,
    conflict: Policy = Policy.NEWEST,
    unmapped: WhenUnmapped = WhenUnmapped.REFUSE,
    longest: int | None = None,
) -> FieldRule:
    return FieldRule(
        desk,
        "there",
        direction,
        conflict,
        table=TABLE if desk == "status" else None,
        unmapped=unmapped,
        longest=longest,
    )


def merged(
    one: FieldRule,
    desk: Value,
    remote: Value,
    base: tuple[Value, Value] | None,
    *,
    desk_at: datetime | None = NOON,
    remote_at: datetime | None = NOON,
    origin: Origin = Origin.BY_HAND,
) -> Outcome:
    agreed = None if base is None else Base(*base)
    return merge_field(one, Side(desk, desk_at), Side(remote, remote_at), agreed, PEOPLE, origin)


def gist(outcome: Outcome) -> tuple[Value, ...]:
    """What is done: the value pushed, the value pulled, whether both had changed it."""
    push = outcome.push[0] if outcome.push else "-"
    pull = outcome.pull[0] if outcome.pull else "-"
    return push, pull, outcome.clash


SAME = ("Fire", "Fire")


def test_nobody_changed_it() -> None:
    assert merged(rule(), "Fire", "Fire", SAME) == Outcome("nobody changed it since both agreed")


def test_the_desk_changed_it() -> None:
    outcome = merged(rule(), "Fire!", "Fire", SAME)
    assert gist(outcome) == ("Fire!", "-", False)
    assert outcome.base == Base("Fire!", "Fire!")


def test_the_tracker_changed_it() -> None:
    outcome = merged(rule(), "Fire", "Fire!", SAME)
    assert gist(outcome) == ("-", "Fire!", False)
    assert outcome.base == Base("Fire!", "Fire!")


def test_both_set_the_same() -> None:
    assert merged(rule(), "Flood", "Flood", SAME) == Outcome("both have the same", Base("Flood", "Flood"))


def test_what_the_tracker_made_of_a_text_is_no_edit() -> None:
    assert gist(merged(rule(), "**Fire**", "*Fire*", ("**Fire**", "*Fire*"))) == ("-", "-", False)
    assert gist(merged(rule(), "**Fire** now", "*Fire*", ("**Fire**", "*Fire*"))) == ("**Fire** now", "-", False)


def test_the_same_words_in_other_typography_are_no_clash() -> None:
    outcome = merged(rule("description"), "**Fire** now\n- a", "*Fire* now\n\n* a", ("Smoke", "Smoke"))
    assert gist(outcome) == ("-", "-", False)
    assert outcome.base == Base("**Fire** now\n- a", "*Fire* now\n\n* a")
    assert not same_words("Fire?", "Fire!")


@pytest.mark.parametrize(
    ("policy", "desk_at", "remote_at", "done"),
    [
        (Policy.DESK, NOON, LATER, ("Mine", "-", True)),
        (Policy.REMOTE, LATER, NOON, ("-", "Theirs", True)),
        (Policy.NEWEST, LATER, NOON, ("Mine", "-", True)),
        (Policy.NEWEST, NOON, LATER, ("-", "Theirs", True)),
        (Policy.NEWEST, NOON, NOON, ("Mine", "-", True)),
        (Policy.NEWEST, None, NOON, ("-", "Theirs", True)),
        (Policy.NEWEST, NOON, None, ("Mine", "-", True)),
        (Policy.ASK, LATER, NOON, ("-", "-", True)),
    ],
)
def test_both_changed_it(
    policy: Policy, desk_at: datetime | None, remote_at: datetime | None, done: tuple[Value, ...]
) -> None:
    outcome = merged(rule(conflict=policy), "Mine", "Theirs", SAME, desk_at=desk_at, remote_at=remote_at)
    assert gist(outcome) == done
    assert outcome.winner == {"Mine": Origin.DESK, "Theirs": Origin.REMOTE}.get(str(outcome.base and outcome.base.desk))
    assert (outcome.base is None) == (policy is Policy.ASK)


# Statuses


def test_a_status_in_the_class_changes_nothing() -> None:
    assert gist(merged(rule("status"), "ESCALATED", "work", ("new", "work"))) == ("-", "-", False)
    assert gist(merged(rule("status"), "ESCALATED", "work", ("work", "new"))) == ("-", "-", False)


def test_a_move_within_the_class_leaves_the_tracker_where_it_is() -> None:
    """The tracker has one word for both: what it tells apart beyond that, as a review, is its own people's business."""
    reviewed = FieldRule("status", "there", Direction.BOTH, Policy.NEWEST, table=TABLE | {"review": REVIEW})
    outcome = merged(reviewed, "IN_PROGRESS", "review", ("new", "new"))
    assert outcome.base == Base("work", "review")
    assert gist(merged(reviewed, "PENDING_INFO", "review", ("work", "review"))) == ("-", "-", False)
    assert gist(merged(reviewed, "RESOLVED", "review", ("work", "review"))) == ("RESOLVED", "-", False)


def test_a_status_outside_the_class_becomes_its_inbound_one() -> None:
    assert gist(merged(rule("status"), "OPEN", "done", ("work", "work"))) == ("-", "RESOLVED", False)
    assert gist(merged(rule("status"), "OPEN", "void", ("work", "work"))) == ("-", "CLOSED", False)


def test_nothing_leads_back_to_new() -> None:
    assert gist(merged(rule("status"), "ESCALATED", "new", ("work", "work"))) == ("-", "OPEN", False)
    outcome = merged(rule("status"), "OPEN", "new", ("work", "work"))
    assert gist(outcome) == ("-", "-", False)
    assert outcome.base == Base("work", "new")


def test_a_ticket_that_is_opened_opens_its_new_record() -> None:
    assert gist(merged(rule("status"), "OPEN", "new", ("new", "new"))) == ("OPEN", "-", False)
    assert gist(merged(rule("status"), "OPEN", "new", None, origin=Origin.DESK)) == ("OPEN", "-", False)


def test_a_status_that_only_comes_in_follows_the_tracker_alone() -> None:
    inward = FieldRule(
        "status",
        "there",
        Direction.IN,
        Policy.DESK,
        table={
            "open": Row(frozenset({"OPEN", "ESCALATED", "IN_PROGRESS"}), "ESCALATED"),
            "done": Row(frozenset({"OPEN", "IN_PROGRESS"}), "IN_PROGRESS"),
        },
    )
    assert gist(merged(inward, "ESCALATED", "done", ("ESCALATED", "open"))) == ("-", "IN_PROGRESS", False)
    assert gist(merged(inward, "OPEN", "done", ("ESCALATED", "open"))) == ("-", "-", False)
    again = merged(inward, "ESCALATED", "done", ("IN_PROGRESS", "done"))
    assert gist(again) == ("-", "-", False)
    assert again.base == Base("ESCALATED", "done")


# One way


def test_what_goes_out_only_is_never_taken_over() -> None:
    out = rule(direction=Direction.OUT)
    left = merged(out, "Fire", "Flood", SAME)
    assert gist(left) == ("-", "-", False)
    assert left.base is None
    assert gist(merged(out, "Storm", "Flood", SAME)) == ("Storm", "-", True)
    assert gist(merged(out, "Storm", "Fire", SAME)) == ("Storm", "-", False)


def test_what_comes_in_only_is_never_written() -> None:
    inward = rule(direction=Direction.IN, conflict=Policy.REMOTE)
    assert gist(merged(inward, "Storm", "Fire", SAME)) == ("-", "-", False)
    assert gist(merged(inward, "Fire", "Flood", SAME)) == ("-", "Flood", False)
    assert gist(merged(inward, "Storm", "Flood", SAME)) == ("-", "Flood", True)


# Never agreed


@pytest.mark.parametrize(
    ("desk", "remote", "origin", "done"),
    [
        ("Fire", "Fire", Origin.BY_HAND, ("-", "-", False)),
        ("Fire", None, Origin.BY_HAND, ("Fire", "-", False)),
        (None, "Fire", Origin.BY_HAND, ("-", "Fire", False)),
        ("Fire", "Flood", Origin.DESK, ("Fire", "-", False)),
        ("Fire", "Flood", Origin.REMOTE, ("-", "Flood", False)),
        ("Fire", "Flood", Origin.BY_HAND, ("Fire", "-", True)),
        (None, "Fire", Origin.DESK, ("-", "Fire", False)),
        ("Fire", None, Origin.REMOTE, ("Fire", "-", False)),
    ],
)
def test_the_first_time_the_side_it_came_from_decides(
    desk: Value, remote: Value, origin: Origin, done: tuple[Value, ...]
) -> None:
    assert gist(merged(rule("affected_service"), desk, remote, None, origin=origin)) == done


def test_the_first_time_one_way_goes_its_way() -> None:
    assert gist(merged(rule(direction=Direction.OUT), "Fire", "Flood", None)) == ("Fire", "-", False)
    assert gist(merged(rule(direction=Direction.IN), "Fire", "Flood", None)) == ("-", "Flood", False)
    assert gist(merged(rule("affected_service", Direction.OUT), None, "Flood", None)) == ("-", "-", False)
    assert gist(merged(rule("affected_service", Direction.IN), "Fire", None, None)) == ("-", "-", False)


# Sets


def test_sets_are_merged_member_by_member() -> None:
    base = (("a", "b"), ("a", "b"))
    outcome = merged(rule("tags"), ("a", "b", "mine"), ("a", "b", "theirs"), base)
    assert gist(outcome) == (("a", "b", "mine", "theirs"), ("a", "b", "mine", "theirs"), False)
    assert gist(merged(rule("tags"), ("a",), ("a", "b"), base)) == (("a",), "-", False)
    assert gist(merged(rule("tags"), ("a", "b"), ("b",), base)) == ("-", ("b",), False)
    assert gist(merged(rule("tags"), ("a",), ("b",), base)) == ((), (), False)
    assert gist(merged(rule("tags"), None, ("x",), None)) == ("-", ("x",), False)
    assert gist(merged(rule("tags"), ("y",), ("x",), None)) == (("x", "y"), ("x", "y"), False)


def test_what_one_side_alone_has_stays_its_own() -> None:
    """A tag the tracker cannot have was settled apart; a new one does not bring it up again."""
    outcome = merged(rule("tags"), ("new", "odd"), ("a",), (("odd",), ("a",)))
    assert gist(outcome) == (("a", "new"), "-", False)


def test_more_tags_than_a_ticket_holds_are_refused() -> None:
    many = tuple(sorted(f"t{number:02}" for number in range(21)))
    outcome = merged(rule("tags"), ("a",), many, (("a",), ("a",)))
    assert outcome.refused == f"tags: {', '.join(many)[:79] + '…'!r} has 21 tags, 20 are the most"
    assert outcome.base is None


# People, and what cannot be said


def test_somebody_unknown_is_refused_or_kept() -> None:
    base = ("r-1", "r-1")
    refused = merged(rule("assignee"), "carla", "r-1", base)
    assert (gist(refused), refused.refused) == (("-", "-", False), "assignee: 'carla' is not mapped")
    assert merged(rule("assignee"), "anna", "r-9", base).refused == "assignee: 'r-9' is not mapped"
    keep = rule("assignee", unmapped=WhenUnmapped.KEEP)
    kept = merged(keep, "carla", "r-1", base)
    assert (gist(kept), kept.base) == (("-", "-", False), Base("unmapped:carla", "r-1"))
    kept = merged(keep, "anna", "r-9", base)
    assert (gist(kept), kept.base) == (("-", "-", False), Base("r-1", "r-9"))


def test_a_customer_is_nobody_a_ticket_could_be_assigned_to() -> None:
    people = People(remote={"carla": "r-3"}, desk={"r-3": "carla"}, customers=frozenset({"carla"}))
    kept = rule("assignee", unmapped=WhenUnmapped.KEEP)
    outcome = merge_field(kept, Side(None, NOON), Side("r-3", LATER), Base(None, None), people)
    assert gist(outcome) == ("-", "-", False)
    assert outcome.base == Base(None, "r-3")
    assert rule("requester").inbound("r-3", None, people) == "carla"


def test_reassigning_to_somebody_unknown_is_an_edit_all_the_same() -> None:
    keep = rule("assignee", unmapped=WhenUnmapped.KEEP)
    assert gist(merged(keep, "carla", "r-2", ("r-1", "r-1"), remote_at=LATER)) == ("-", "ben", True)
    outcome = merged(keep, "carla", "r-2", ("r-1", "r-1"), desk_at=LATER)
    assert (gist(outcome), outcome.winner) == (("-", "-", True), Origin.DESK)
    assert outcome.base == Base("unmapped:carla", "r-2")


def test_what_a_ticket_could_not_hold_is_refused_and_stays_to_be_seen() -> None:
    outcome = merged(rule(), "Fire", "x" * 201, SAME)
    assert "201 characters, 200 are the most" in (outcome.refused or "")
    assert (gist(outcome), outcome.base) == (("-", "-", False), None)
    assert merged(rule(), "Fire", None, SAME).refused == "title: a ticket needs one, and there is none"


def test_the_rest_of_a_long_text_is_never_lost_to_an_edit_of_its_beginning() -> None:
    cut = rule("description", longest=20)
    long = "The printer on floor two is on fire."
    said = said_as(cut, long)
    assert gist(merged(cut, long, said, (said, said))) == ("-", "-", False)
    outcome = merged(cut, long, "The printer is out.", (said, said))
    assert (gist(outcome), outcome.winner, outcome.base) == (("-", "-", True), None, None)


# Laws

TEXTS = st.sampled_from(["Fire", "Flood", "Storm", "Hail"])
MOMENTS = st.none() | st.sampled_from([NOON, LATER])
RULES = st.builds(
    rule,
    st.just("title"),
    st.sampled_from([Direction.BOTH, Direction.OUT, Direction.IN]),
    st.sampled_from(Policy),
)


@given(RULES, TEXTS, TEXTS, TEXTS, TEXTS, MOMENTS, MOMENTS)
def test_an_edit_is_overwritten_only_with_an_entry(
    one: FieldRule, desk: str, remote: str, a: str, b: str, desk_at: datetime | None, remote_at: datetime | None
) -> None:
    outcome = merged(one, desk, remote, (a, b), desk_at=desk_at, remote_at=remote_at)
    if outcome.push and remote not in {b, outcome.push[0]}:
        assert outcome.clash
    if outcome.pull and desk not in {a, outcome.pull[0]}:
        assert outcome.clash


@given(RULES, TEXTS, TEXTS, TEXTS, TEXTS, MOMENTS, MOMENTS)
def test_directions_are_respected(
    one: FieldRule, desk: str, remote: str, a: str, b: str, desk_at: datetime | None, remote_at: datetime | None
) -> None:
    outcome = merged(one, desk, remote, (a, b), desk_at=desk_at, remote_at=remote_at)
    assert outcome.push is None or one.direction.outward
    assert outcome.pull is None or one.direction.inward


@given(RULES, TEXTS, TEXTS, st.none() | st.tuples(TEXTS, TEXTS), MOMENTS, MOMENTS, st.sampled_from(Origin))
def test_what_is_done_is_done_once(
    one: FieldRule,
    desk: str,
    remote: str,
    base: tuple[str, str] | None,
    desk_at: datetime | None,
    remote_at: datetime | None,
    origin: Origin,
) -> None:
    first = merged(one, desk, remote, base, desk_at=desk_at, remote_at=remote_at, origin=origin)
    after_desk = first.pull[0] if first.pull else desk
    after_remote = first.push[0] if first.push else remote
    stored = (first.base.desk, first.base.remote) if first.base else base
    second = merged(one, after_desk, after_remote, stored, desk_at=desk_at, remote_at=remote_at, origin=origin)
    assert second.push is second.pull is None
    were_alike = base is None or base[0] == base[1]
    if one.direction is Direction.BOTH and were_alike and not first.clash:
        assert after_desk == after_remote


@given(TEXTS, TEXTS, TEXTS, st.sampled_from([Policy.DESK, Policy.REMOTE, Policy.ASK, Policy.NEWEST]), MOMENTS, MOMENTS)
def test_the_two_sides_are_alike(
    desk: str, remote: str, base: str, policy: Policy, desk_at: datetime | None, remote_at: datetime | None
) -> None:
    """Swapping the sides, and whom the policy favours, swaps what is done. Equal moments favour the desk either way."""
    if policy is Policy.NEWEST and (desk_at == remote_at or None in {desk_at, remote_at}):
        return
    swapped = {Policy.DESK: Policy.REMOTE, Policy.REMOTE: Policy.DESK}.get(policy, policy)
    here = merged(rule(conflict=policy), desk, remote, (base, base), desk_at=desk_at, remote_at=remote_at)
    there = merged(rule(conflict=swapped), remote, desk, (base, base), desk_at=remote_at, remote_at=desk_at)
    assert (here.push, here.pull, here.clash) == (there.pull, there.push, there.clash)


SETS = st.sets(st.sampled_from("abcde")).map(lambda members: tuple(sorted(members)))


@given(SETS, SETS, SETS)
def test_sets_lose_nobodys_change(desk: tuple[str, ...], remote: tuple[str, ...], base: tuple[str, ...]) -> None:
    outcome = merged(rule("tags"), desk, remote, (base, base))
    after = set(outcome.push[0] if outcome.push else remote)  # type: ignore[arg-type]
    assert after == set(outcome.pull[0] if outcome.pull else desk)  # type: ignore[arg-type]
    assert after >= (set(desk) | set(remote)) - set(base)
    assert not after & (set(base) - set(desk))
    assert not after & (set(base) - set(remote))
    assert not outcome.clash


@given(st.sampled_from(sorted(one for row in TABLE.values() for one in row.desk)), st.sampled_from(sorted(TABLE)))
def test_statuses_meet_whichever_side_moves(present: str, seen: str) -> None:
    said = said_as(rule("status"), present)
    pulled = merged(rule("status"), present, seen, (said, said))
    if pulled.pull and seen not in {"void", "new"}:
        assert said_as(rule("status"), pulled.pull[0]) == seen
    if not pulled.pull:
        assert seen == said or pulled.base == Base(said, seen)
