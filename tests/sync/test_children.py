"""Comments, files and time on both sides: what is new, what was edited, what is gone, and who may read it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sync.test_mapping_check import CAN

from deskbridge.sync.children import (
    ChildClash,
    DeleteDesk,
    DeleteRemote,
    DeskComment,
    DeskFile,
    DeskTime,
    EditDesk,
    EditRemote,
    EditTime,
    Retie,
    SendComment,
    SendFile,
    SendTime,
    Step,
    TakeComment,
    TakeFile,
    TakeTime,
    Tie,
    heard,
    logged,
    merge_comments,
    merge_files,
    merge_times,
    sent_as,
    spoken,
)
from deskbridge.sync.connector import Attachment, Audience, Audiences, Comment, Person, Worklog, WorklogKind
from deskbridge.sync.mapping import ChildRule, Direction

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
EVA = Person("r-1", "Eva")
BOTH = ChildRule(Direction.BOTH)
OUT = ChildRule(Direction.OUT)
IN = ChildRule(Direction.IN)
ALONE = replace(CAN, audiences=Audiences.INTERNAL_ONLY, comment_edit=False, comment_delete=False)


def mine(key: str = "m1", body: str = "It burns.", audience: Audience = Audience.PUBLIC, **more: Any) -> DeskComment:
    return DeskComment(key, body, audience, "Anna", "Deskbridge", more.pop("created_at", NOON), **more)


def theirs(
    remote_id: str = "c1", body: str = "Where?", audience: Audience = Audience.PUBLIC, marker: str | None = None
) -> Comment:
    return Comment(remote_id, body, audience, EVA, NOON, NOON, marker)


def tied(here: DeskComment, there: Comment) -> Tie:
    """The tie of two that agree."""
    (step,) = merge_comments(BOTH, CAN, [here], [replace(there, marker=here.key)], [])
    assert isinstance(step, Retie)
    return replace(step.tie, desk=spoken(here.body))


# Comments that are new


def test_a_message_goes_out_with_its_author_and_where_it_was_written() -> None:
    (step,) = merge_comments(BOTH, CAN, [mine()], [], [])
    assert isinstance(step, SendComment)
    assert step.comment.body == "**Anna** (Deskbridge):\n\nIt burns."
    assert (step.comment.audience, step.comment.marker) == (Audience.PUBLIC, "m1")


def test_messages_go_out_oldest_first() -> None:
    later = mine("m2", created_at=NOON + timedelta(minutes=1))
    steps = merge_comments(BOTH, CAN, [later, mine()], [], [])
    assert [step.comment.marker for step in steps if isinstance(step, SendComment)] == ["m1", "m2"]


@pytest.mark.parametrize("audience", Audience)
def test_a_comment_keeps_its_audience(audience: Audience) -> None:
    (step,) = merge_comments(BOTH, CAN, [], [theirs(audience=audience)], [])
    assert step == TakeComment(theirs(audience=audience), audience, heard(theirs()))


def test_what_comes_from_a_tracker_without_audiences_is_internal() -> None:
    (step,) = merge_comments(BOTH, ALONE, [], [theirs(audience=Audience.PUBLIC)], [])
    assert isinstance(step, TakeComment)
    assert step.audience is Audience.INTERNAL


def test_audiences_that_stay_on_the_desk_stay_there() -> None:
    public_only = ChildRule(Direction.BOTH, frozenset({Audience.PUBLIC}))
    assert merge_comments(public_only, CAN, [mine(audience=Audience.INTERNAL)], [], []) == []
    assert len(merge_comments(public_only, CAN, [mine()], [], [])) == 1


def test_a_note_is_sent_as_a_note() -> None:
    (step,) = merge_comments(BOTH, CAN, [mine(audience=Audience.INTERNAL)], [], [])
    assert isinstance(step, SendComment)
    assert step.comment.audience is Audience.INTERNAL


def test_one_way_is_one_way() -> None:
    assert merge_comments(IN, CAN, [mine()], [], []) == []
    assert merge_comments(OUT, CAN, [], [theirs()], []) == []
    assert merge_comments(ChildRule(), CAN, [mine()], [theirs()], []) == []


def test_what_came_from_there_is_never_sent_back() -> None:
    assert merge_comments(BOTH, CAN, [mine(own=False)], [], []) == []


def test_a_comment_of_ours_is_found_by_its_marker_and_not_added_again() -> None:
    there = theirs(body="**Anna** (Deskbridge):\n\n_It burns._", marker="m1")
    (step,) = merge_comments(BOTH, CAN, [mine()], [there], [])
    assert step == Retie(Tie("m1", "c1", spoken(mine().body), heard(there)))


def test_a_message_edited_after_its_answer_was_lost_is_sent_again() -> None:
    there = theirs(body=sent_as(mine()), marker="m1")
    edited = mine(body="It is out.")
    (step,) = merge_comments(BOTH, CAN, [edited], [there], [])
    assert isinstance(step, Retie)
    (then,) = merge_comments(BOTH, CAN, [edited], [there], [step.tie])
    assert isinstance(then, EditRemote)


def test_a_comment_that_was_added_twice_is_tied_once_and_not_taken_for_somebodys() -> None:
    one, other = theirs(marker="m1"), theirs("c2", marker="m1")
    (step,) = merge_comments(BOTH, CAN, [mine()], [one, other], [])
    assert isinstance(step, Retie)
    assert merge_comments(BOTH, CAN, [mine()], [one, other], [replace(step.tie, desk=spoken(mine().body))]) == []


def test_a_comment_of_ours_whose_message_is_gone_is_left_alone() -> None:
    assert merge_comments(BOTH, CAN, [], [theirs(marker="m9")], []) == []


# Comments that changed


def test_an_edited_message_is_edited_there() -> None:
    here, there = mine(), theirs(body=sent_as(mine()))
    tie = tied(here, there)
    assert merge_comments(BOTH, CAN, [here], [there], [tie]) == []
    (step,) = merge_comments(BOTH, CAN, [mine(body="It is out.")], [there], [tie])
    assert isinstance(step, EditRemote)
    assert step.body == "**Anna** (Deskbridge):\n\nIt is out."
    (step,) = merge_comments(BOTH, ALONE, [mine(body="It is out.")], [there], [tie])
    assert step == Retie(replace(tie, desk=spoken(mine(body="It is out.").body)))


def test_an_author_who_marries_edits_nothing() -> None:
    here, there = mine(), theirs(body=sent_as(mine()))
    assert merge_comments(BOTH, CAN, [replace(here, author="Anna Alt")], [there], [tied(here, there)]) == []


def test_an_edited_comment_is_edited_here() -> None:
    here = mine(body="Where?", own=False)
    tie = tied(here, theirs())
    changed = theirs(body="Where exactly?")
    assert merge_comments(BOTH, CAN, [here], [changed], [tie]) == [EditDesk("m1", changed, heard(changed))]
    assert merge_comments(OUT, CAN, [here], [changed], [tie]) == []


def test_both_edited_it_the_author_stays_and_the_other_is_kept() -> None:
    here = mine(body="Where?", own=False)
    tie = tied(here, theirs())
    changed = theirs(body="Where exactly?")
    assert merge_comments(BOTH, CAN, [replace(here, body="Who?")], [changed], [tie]) == [
        ChildClash("m1", "Who?", "Where exactly?", desk_stays=False),
        EditDesk("m1", changed, heard(changed)),
    ]
    ours, there = mine(), theirs(body=sent_as(mine()))
    clash, edit = merge_comments(BOTH, CAN, [mine(body="Out.")], [theirs(body="Vandalised")], [tied(ours, there)])
    assert clash == ChildClash("m1", "Out.", "Vandalised", desk_stays=True)
    assert isinstance(edit, EditRemote)


def test_what_others_make_of_our_comment_stays_there() -> None:
    here, there = mine(), theirs(body=sent_as(mine()))
    assert merge_comments(BOTH, CAN, [here], [theirs(body="Vandalised")], [tied(here, there)]) == []


# Comments that are gone


def test_a_deleted_message_is_deleted_there_where_that_can_be() -> None:
    here, there = mine(), theirs(body=sent_as(mine()))
    tie = tied(here, there)
    gone = replace(here, deleted=True)
    assert merge_comments(BOTH, CAN, [gone], [there], [tie]) == [DeleteRemote("m1", "c1")]
    assert merge_comments(BOTH, ALONE, [gone], [there], [tie]) == [Retie(replace(tie, dropped=True))]
    assert merge_comments(BOTH, CAN, [replace(gone, own=False)], [there], [tie]) == [Retie(replace(tie, dropped=True))]


def test_a_deleted_comment_is_deleted_here_when_it_came_from_there() -> None:
    here = mine(body="Where?", own=False)
    tie = tied(here, theirs())
    assert merge_comments(BOTH, CAN, [here], [], [tie]) == [DeleteDesk("m1", "c1")]
    assert merge_comments(BOTH, CAN, [mine()], [], [tie]) == [Retie(replace(tie, dropped=True))]


def test_all_comments_gone_at_once_delete_nothing() -> None:
    ones = [mine("m1", own=False), mine("m2", own=False)]
    ties = [Tie("m1", "c1", "x", "y"), Tie("m2", "c2", "x", "y")]
    assert merge_comments(BOTH, CAN, ones, [], ties) == []


def test_what_was_let_go_of_is_never_brought_back() -> None:
    here, there = mine(), theirs(body=sent_as(mine()), marker="m1")
    dropped = replace(tied(here, there), dropped=True)
    assert merge_comments(BOTH, CAN, [here], [there], [dropped]) == []
    assert merge_comments(BOTH, CAN, [here], [], [dropped]) == []
    assert merge_comments(BOTH, CAN, [], [replace(there, marker=None)], [dropped]) == []


# Files

PDF = DeskFile("f1", "plan.pdf", 10, "aa", Audience.PUBLIC)


def upload(name: str = "plan.pdf", sha256: str | None = "aa", size: int = 10, remote_id: str = "a1") -> Attachment:
    return Attachment(remote_id, name, size, "application/pdf", EVA, NOON, sha256)


def test_files_go_both_ways() -> None:
    other = upload("log.txt", "bb")
    assert merge_files(BOTH, CAN, [PDF], [other], []) == [TakeFile(other, Audience.INTERNAL), SendFile(PDF)]


def test_the_same_file_on_both_sides_is_tied() -> None:
    assert merge_files(BOTH, CAN, [PDF], [upload()], []) == [Retie(Tie("f1", "a1", "aa", "aa"))]
    assert merge_files(BOTH, CAN, [PDF], [upload()], [Tie("f1", "a1", "aa", "aa")]) == []


def test_the_same_name_with_other_content_is_another_file() -> None:
    assert merge_files(BOTH, CAN, [PDF], [upload(sha256="bb")], []) == [
        TakeFile(upload(sha256="bb"), Audience.INTERNAL),
        SendFile(PDF),
    ]


def test_a_file_that_may_be_ours_is_looked_at_before_ours_is_sent() -> None:
    unsure = upload(sha256=None)
    assert merge_files(BOTH, CAN, [PDF], [unsure], []) == [TakeFile(unsure, Audience.INTERNAL)]
    assert merge_files(OUT, CAN, [PDF], [unsure], []) == [Retie(Tie("f1", "a1", "aa", "aa"))]
    assert merge_files(BOTH, CAN, [PDF], [upload(sha256=None, size=11)], []) == [
        TakeFile(upload(sha256=None, size=11), Audience.INTERNAL),
        SendFile(PDF),
    ]


def test_two_uploads_of_one_file_are_tied_to_one_each() -> None:
    twin = replace(PDF, key="f2")
    steps = merge_files(BOTH, CAN, [PDF, twin], [upload(), upload(remote_id="a2")], [])
    assert steps == [Retie(Tie("f1", "a1", "aa", "aa")), Retie(Tie("f2", "a2", "aa", "aa"))]


def test_files_that_may_not_leave_stay() -> None:
    public_only = ChildRule(Direction.BOTH, frozenset({Audience.PUBLIC}))
    assert merge_files(public_only, CAN, [replace(PDF, audience=Audience.INTERNAL)], [], []) == []
    assert merge_files(BOTH, CAN, [replace(PDF, size=1001)], [], []) == []
    assert merge_files(IN, CAN, [PDF], [], []) == []
    assert merge_files(BOTH, CAN, [replace(PDF, deleted=True)], [], []) == []


def test_a_file_gone_on_one_side_stays_on_the_other() -> None:
    tie = Tie("f1", "a1", "aa", "aa")
    dropped = replace(tie, dropped=True)
    assert merge_files(BOTH, CAN, [PDF], [], [tie]) == [Retie(dropped)]
    assert merge_files(BOTH, CAN, [replace(PDF, deleted=True)], [upload()], [tie]) == [Retie(dropped)]
    assert merge_files(BOTH, CAN, [PDF], [upload()], [dropped]) == []
    assert merge_files(BOTH, CAN, [PDF], [], [dropped]) == []


# Time


def worked(key: str = "t1", minutes: int = 30, note: str = "Toner", **more: Any) -> DeskTime:
    return DeskTime(key, minutes, note, NOON, "Anna", "Deskbridge", **more)


def booked(remote_id: str = "w1", minutes: int = 15, marker: str | None = None) -> Worklog:
    return Worklog(remote_id, minutes, "Fuse", NOON, EVA, marker)


def test_time_goes_both_ways() -> None:
    take, send = merge_times(BOTH, CAN, [worked()], [booked()], [])
    assert take == TakeTime(booked(), logged(booked()))
    assert isinstance(send, SendTime)
    assert (send.worklog.minutes, send.worklog.note, send.worklog.marker) == (30, "Anna (Deskbridge): Toner", "t1")
    (send,) = merge_times(BOTH, CAN, [worked(note="")], [], [])
    assert isinstance(send, SendTime)
    assert send.worklog.note == "Anna (Deskbridge)"


def test_time_of_ours_is_found_by_its_marker() -> None:
    (step,) = merge_times(BOTH, CAN, [worked()], [booked(marker="t1")], [])
    assert isinstance(step, Retie)
    assert merge_times(BOTH, CAN, [worked()], [booked(marker="t1")], [step.tie]) == []
    assert merge_times(BOTH, CAN, [], [booked(marker="t9")], []) == []


def test_corrected_time_is_corrected_here() -> None:
    tie = Tie("t1", "w1", "x", logged(booked()))
    changed = booked(minutes=20)
    assert merge_times(BOTH, CAN, [worked(own=False)], [changed], [tie]) == [EditTime("t1", changed, logged(changed))]
    assert merge_times(BOTH, CAN, [worked()], [changed], [tie]) == []


def test_removed_time_is_removed_here_when_it_came_from_there() -> None:
    tie = Tie("t1", "w1", "x", logged(booked()))
    assert merge_times(BOTH, CAN, [worked(own=False)], [], [tie]) == [DeleteDesk("t1", "w1")]
    assert merge_times(BOTH, CAN, [worked()], [], [tie]) == [Retie(replace(tie, dropped=True))]
    two = [tie, replace(tie, key="t2", remote_id="w2")]
    assert merge_times(BOTH, CAN, [worked(own=False), worked("t2", own=False)], [], two) == []


def test_removed_time_of_ours_stays_there() -> None:
    tie = Tie("t1", "w1", "x", logged(booked()))
    assert merge_times(BOTH, CAN, [worked(deleted=True)], [booked()], [tie]) == [Retie(replace(tie, dropped=True))]


def test_a_tracker_without_entries_is_told_none() -> None:
    for kind in (WorklogKind.TOTAL, WorklogKind.NONE):
        assert merge_times(BOTH, replace(CAN, worklogs=kind), [worked()], [booked()], []) == []


# A conversation on both sides


@dataclass
class Talk:
    """Messages and comments, a tracker that answers or loses its answer, and ties as an engine would store them."""

    desk: dict[str, DeskComment] = field(default_factory=dict)
    there: dict[str, Comment] = field(default_factory=dict)
    ties: dict[str, Tie] = field(default_factory=dict)
    count: int = 0

    def next(self) -> int:
        self.count += 1
        return self.count

    def sync(self, lost: bool = False) -> list[Step]:
        steps = merge_comments(BOTH, CAN, list(self.desk.values()), list(self.there.values()), list(self.ties.values()))
        for step in steps:
            self.carry_out(step, lost)
        return steps

    def carry_out(self, step: Step, lost: bool) -> None:
        match step:
            case SendComment(comment, desk):
                remote_id = f"c{self.next()}"
                self.there[remote_id] = theirs(remote_id, comment.body, comment.audience, comment.marker)
                if not lost:
                    self.tie(Tie(comment.marker, remote_id, desk, heard(self.there[remote_id])))
            case TakeComment(comment, audience, remote):
                key = f"m{self.next()}"
                self.desk[key] = mine(key, comment.body, audience, own=False)
                self.tie(Tie(key, comment.id, spoken(self.desk[key].body), remote))
            case EditRemote(key, remote_id, body, desk):
                self.there[remote_id] = replace(self.there[remote_id], body=body)
                self.tie(Tie(key, remote_id, desk, heard(self.there[remote_id])))
            case EditDesk(key, comment, remote):
                self.desk[key] = replace(self.desk[key], body=comment.body)
                self.tie(Tie(key, comment.id, spoken(self.desk[key].body), remote))
            case DeleteRemote(key, remote_id):
                del self.there[remote_id]
                self.ties[key] = replace(self.ties[key], dropped=True)
            case DeleteDesk(key, _):
                self.desk[key] = replace(self.desk[key], deleted=True)
                self.ties[key] = replace(self.ties[key], dropped=True)
            case Retie(tie):
                self.tie(tie)

    def tie(self, tie: Tie) -> None:
        self.ties[tie.key] = tie

    def act(self, what: str, which: int, text: str) -> None:
        keys, ids = sorted(self.desk), sorted(self.there)
        match what:
            case "say" | "note":
                key = f"m{self.next()}"
                self.desk[key] = mine(key, text, Audience.PUBLIC if what == "say" else Audience.INTERNAL)
            case "comment" | "work note":
                remote_id = f"c{self.next()}"
                audience = Audience.PUBLIC if what == "comment" else Audience.INTERNAL
                self.there[remote_id] = theirs(remote_id, text, audience)
            case "edit" if keys:
                self.desk[keys[which % len(keys)]] = replace(self.desk[keys[which % len(keys)]], body=text)
            case "edit there" if ids:
                self.there[ids[which % len(ids)]] = replace(self.there[ids[which % len(ids)]], body=text)
            case "delete" if keys:
                self.desk[keys[which % len(keys)]] = replace(self.desk[keys[which % len(keys)]], deleted=True)
            case "delete there" if ids:
                del self.there[ids[which % len(ids)]]
            case "sync":
                self.sync()
            case "lose":
                self.sync(lost=True)


ACTIONS = st.sampled_from(
    ["say", "note", "comment", "work note", "edit", "edit there", "delete", "delete there", "sync", "lose"]
)


@settings(max_examples=300)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 5), st.sampled_from(["red", "green", "blue"])), max_size=12))
def test_a_conversation_ends_alike_with_nothing_doubled_and_nothing_internal_made_public(
    actions: list[tuple[str, int, str]],
) -> None:
    talk = Talk()
    for action in actions:
        talk.act(*action)
    for _ in range(4):
        talk.sync()
    assert talk.sync() == [] or not talk.there
    markers = [one.marker for one in talk.there.values() if one.marker]
    assert len(markers) == len(set(markers))
    live = [tie for tie in talk.ties.values() if not tie.dropped]
    assert len({tie.remote_id for tie in live}) == len(live)
    for tie in live:
        if tie.remote_id in talk.there and tie.key in talk.desk:
            assert talk.there[tie.remote_id].audience is talk.desk[tie.key].audience
    if talk.there:
        tied_keys = set(talk.ties)
        assert {key for key, one in talk.desk.items() if not one.deleted} <= tied_keys
        assert {one.id for one in talk.there.values() if one.marker is None} <= {
            tie.remote_id for tie in talk.ties.values()
        }
