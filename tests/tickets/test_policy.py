"""Who may do what: the promise in words, as a table, as properties, and as the SQL that filters by it."""

from itertools import pairwise, product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.factories import Cast, Factory

from deskbridge.kit.db import Database
from deskbridge.kit.errors import Forbidden
from deskbridge.people.actor import SYSTEM, Actor, ActorKind, Role
from deskbridge.tickets.model import Status, Ticket
from deskbridge.tickets.policy import (
    TicketFacts,
    Verb,
    allowed_targets,
    may,
    may_ever_reach,
    require,
    sees,
    status_verbs,
    verbs,
    visible,
)
from deskbridge.tickets.workflow import is_step

ME, OTHER, CUSTOMER = UUID(int=1), UUID(int=2), UUID(int=3)
MY_TEAM, OTHER_TEAM = UUID(int=10), UUID(int=11)


def actor(role: Role, *teams: UUID) -> Actor:
    return Actor(ME, "Me", role, team_ids=frozenset(teams))


def facts(
    requester: UUID = CUSTOMER, assignee: UUID | None = None, team: UUID | None = None, status: Status = Status.OPEN
) -> TicketFacts:
    return TicketFacts(requester, assignee, team, status)


EDITS = {Verb.EDIT_TEXT, Verb.TRIAGE, Verb.EDIT}
WORKS = {Verb.SEE, Verb.REPLY, Verb.NOTE}
OWNS = EDITS | {
    Verb.TAKE,
    Verb.RELEASE,
    Verb.HAND_TO_TEAM,
    Verb.CHANGE_STATUS,
    Verb.FINISH,
    Verb.REOPEN,
    Verb.ESCALATE,
}
TAKES_UP = {Verb.TAKE, Verb.TRIAGE, Verb.HAND_TO_TEAM, Verb.FINISH}
EVERYTHING_BUT_DELETE = set(Verb) - {Verb.DELETE}

PROMISED = [
    # What somebody else's ticket is to a customer: nothing at all.
    (actor(Role.END_USER), facts(), set()),
    (actor(Role.END_USER, MY_TEAM), facts(assignee=ME, team=MY_TEAM), set()),
    # A customer's own ticket, by status.
    (actor(Role.END_USER), facts(ME, status=Status.NEW), {Verb.SEE, Verb.REPLY, Verb.EDIT_TEXT, Verb.WITHDRAW}),
    (actor(Role.END_USER), facts(ME, status=Status.OPEN), {Verb.SEE, Verb.REPLY, Verb.WITHDRAW}),
    (actor(Role.END_USER), facts(ME, status=Status.PENDING_INFO), {Verb.SEE, Verb.REPLY, Verb.WITHDRAW}),
    (actor(Role.END_USER), facts(ME, status=Status.IN_PROGRESS), {Verb.SEE, Verb.REPLY}),
    (actor(Role.END_USER), facts(ME, status=Status.ESCALATED), {Verb.SEE, Verb.REPLY}),
    (actor(Role.END_USER), facts(ME, status=Status.REOPENED), {Verb.SEE, Verb.REPLY}),
    (actor(Role.END_USER), facts(ME, status=Status.RESOLVED), {Verb.SEE, Verb.REPLY, Verb.WITHDRAW, Verb.REOPEN}),
    (actor(Role.END_USER), facts(ME, status=Status.CLOSED), {Verb.SEE, Verb.REPLY, Verb.REOPEN}),
    # An agent.
    (actor(Role.AGENT), facts(), WORKS | TAKES_UP),
    (actor(Role.AGENT), facts(assignee=OTHER), WORKS),
    (actor(Role.AGENT), facts(assignee=OTHER, team=OTHER_TEAM), WORKS),
    (actor(Role.AGENT, MY_TEAM), facts(assignee=OTHER, team=MY_TEAM), WORKS | {Verb.TAKE}),
    (actor(Role.AGENT), facts(assignee=ME), WORKS | OWNS),
    # A lead.
    (actor(Role.TEAM_LEAD, MY_TEAM), facts(), WORKS | TAKES_UP | {Verb.ASSIGN_IN_TEAMS}),
    (actor(Role.TEAM_LEAD, MY_TEAM), facts(assignee=OTHER, team=OTHER_TEAM), WORKS),
    (actor(Role.TEAM_LEAD, MY_TEAM), facts(assignee=OTHER, team=MY_TEAM), WORKS | OWNS | {Verb.ASSIGN_IN_TEAMS}),
    # A manager and an administrator.
    (actor(Role.MANAGER), facts(assignee=OTHER, team=OTHER_TEAM), EVERYTHING_BUT_DELETE),
    (actor(Role.ADMIN), facts(assignee=OTHER, team=OTHER_TEAM), set(Verb)),
]


@pytest.mark.parametrize(("who", "ticket", "allowed"), PROMISED)
def test_each_may_exactly_what_is_promised(who: Actor, ticket: TicketFacts, allowed: set[Verb]) -> None:
    assert verbs(who, ticket) == allowed


ids = st.sampled_from([ME, OTHER, CUSTOMER])
tickets = st.builds(
    TicketFacts,
    ids,
    st.none() | ids,
    st.none() | st.sampled_from([MY_TEAM, OTHER_TEAM]),
    st.sampled_from(Status),
)
teams = st.frozensets(st.sampled_from([MY_TEAM, OTHER_TEAM]))
actors = st.builds(Actor, st.just(ME), st.just("Me"), st.sampled_from(Role), team_ids=teams)


@given(tickets, teams)
def test_each_role_may_all_that_the_one_below_may(ticket: TicketFacts, mine: frozenset[UUID]) -> None:
    held = [verbs(Actor(ME, "Me", role, team_ids=mine), ticket) for role in Role]
    for lower, higher in pairwise(held):
        assert lower <= higher


@given(actors, tickets)
def test_who_may_do_anything_may_see(who: Actor, ticket: TicketFacts) -> None:
    held = verbs(who, ticket)
    assert not held or Verb.SEE in held


@given(actors, tickets)
def test_require_raises_exactly_where_may_says_no(who: Actor, ticket: TicketFacts) -> None:
    for verb in Verb:
        try:
            require(who, verb, ticket)
        except Forbidden:
            assert not may(who, verb, ticket)
        else:
            assert may(who, verb, ticket)


@given(actors, tickets)
def test_only_administrators_delete_and_only_agents_note(who: Actor, ticket: TicketFacts) -> None:
    assert may(who, Verb.DELETE, ticket) == (who.role is Role.ADMIN)
    assert may(who, Verb.NOTE, ticket) == who.is_agent


@given(actors, tickets)
def test_allowed_targets_are_steps_that_the_actor_may_take(who: Actor, ticket: TicketFacts) -> None:
    targets = allowed_targets(who, ticket)
    for wanted in Status:
        permitted = is_step(ticket.status, wanted) and bool(status_verbs(who, wanted) & verbs(who, ticket))
        assert (wanted in targets) == permitted
        assert not permitted or may_ever_reach(who, ticket, wanted)


@given(tickets, st.sampled_from(Status))
def test_a_customer_moves_a_ticket_only_as_promised(ticket: TicketFacts, wanted: Status) -> None:
    own = ticket.requester_id == ME
    withdraws = wanted is Status.CLOSED and ticket.status in {
        Status.NEW,
        Status.OPEN,
        Status.PENDING_INFO,
        Status.RESOLVED,
    }
    reopens = wanted is Status.REOPENED and ticket.status in {Status.RESOLVED, Status.CLOSED}
    assert (wanted in allowed_targets(actor(Role.END_USER), ticket)) == (own and (withdraws or reopens))


@pytest.mark.parametrize("kind", [ActorKind.SYSTEM, ActorKind.CONNECTION])
def test_the_desk_itself_and_connections_are_held_by_their_own_rules(kind: ActorKind) -> None:
    assert verbs(Actor(None, "X", Role.END_USER, kind), facts(assignee=OTHER)) == set(Verb)


@pytest.mark.database
def test_the_sql_twin_shows_exactly_what_the_function_lets_see(database: Database, make: Factory, cast: Cast) -> None:
    """Every kind of ticket before every kind of actor: SQL and function agree on each pair."""
    holders = [None, cast.agent.id, cast.outsider.id, cast.customer.id]
    for requester, assignee, team, status in product(
        [cast.customer, cast.stranger, cast.agent], holders, [None, cast.support], [Status.NEW, Status.CLOSED]
    ):
        make.ticket(requester, assignee_id=assignee, team_id=team, status=status)
    rows = database.write(lambda uow: list(uow.session.execute(select(Ticket)).scalars()))
    people = [cast.customer, cast.stranger, cast.agent, cast.outsider, cast.lead, cast.manager, cast.admin]
    for who in [*(person.actor for person in people), SYSTEM]:
        shown = database.read(lambda reader, who=who: reader.execute(select(Ticket.id).where(visible(who))).scalars())
        assert set(shown) == {
            row.id
            for row in rows
            if may(who, Verb.SEE, TicketFacts(row.requester_id, row.assignee_id, row.team_id, row.status))
        }


@pytest.mark.database
def test_a_deleted_ticket_is_visible_to_nobody(database: Database, make: Factory, cast: Cast) -> None:
    gone = make.ticket(cast.customer, deleted_at=database.clock.now())
    there = make.ticket(cast.customer)
    for who in (cast.customer.actor, cast.agent.actor, cast.admin.actor, SYSTEM):
        shown = database.write(
            lambda uow, who=who: uow.session.execute(select(Ticket.id).where(visible(who))).scalars().all()
        )
        assert shown == [there.id]
        assert gone.id not in shown


@pytest.mark.parametrize(("role", "requester"), list(product(Role, [ME, OTHER])))
def test_sight_alone_is_what_the_verb_to_see_says(role: Role, requester: UUID) -> None:
    assert sees(actor(role), requester) == may(actor(role), Verb.SEE, facts(requester))
