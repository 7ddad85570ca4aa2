"""People, teams and tickets for tests: made by the same use cases as real ones, in the state a test begins with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import select

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.people import service as people
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.people.model import TeamMember, User
from deskbridge.tickets import conversation
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Audience, Channel, CommentType, Priority, Status, Ticket

PASSWORD = "correct horse battery"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHEAP_HASH = CHEAP_HASHER.hash(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Somebody a test knows."""

    id: UUID
    name: str
    email: str | None
    phone: str | None
    customer_id: str
    role: Role
    team_ids: frozenset[UUID] = frozenset()

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.name, self.role, team_ids=self.team_ids)


@dataclass(frozen=True)
class MadeTicket:
    """A ticket a test knows."""

    id: UUID
    number: int

    @property
    def path(self) -> str:
        return f"/tickets/{self.number}"


@dataclass
class Factory:
    """Makes what a test needs, each call in a transaction of its own."""

    database: Database
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def person(
        self,
        role: Role = Role.END_USER,
        name: str | None = None,
        *,
        email: str | None = "",
        phone: str | None = None,
        teams: Sequence[UUID] = (),
        **details: Any,
    ) -> Person:
        """Add a person who signs in with `PASSWORD`; without an `email` given they get one of their own."""
        number = next(self._numbers)
        name = name or f"{role.replace('_', ' ').title()} {number}"
        new = people.NewUser(
            name=name,
            email=f"person{number}@example.org" if email == "" else email,
            phone=phone,
            role=role,
            password_hash=CHEAP_HASH,
            **details,
        )

        def add(uow: UnitOfWork) -> User:
            user = people.add_user(uow, SYSTEM, new)
            uow.session.add_all(TeamMember(team_id=team, user_id=user.id) for team in teams)
            return user

        user = self.database.write(add)
        return Person(user.id, user.name, user.email, user.phone, user.customer_id, user.role, frozenset(teams))

    def team(self, name: str | None = None) -> UUID:
        """Add a team."""
        return self.database.write(people.add_team, SYSTEM, name or f"Team {next(self._numbers)}").id

    def ticket(
        self,
        requester: Person,
        *,
        title: str = "The printer is on fire",
        description: str = "Flames, *real* ones.",
        category: str = "INCIDENT",
        priority: Priority = Priority.P3,
        tags: Sequence[str] = (),
        **state: Any,
    ) -> MadeTicket:
        """Open a ticket as its requester, then put it into the `state` given (columns of `Ticket`)."""
        new = tickets.NewTicket(title, description, category, priority, tags=list(tags))

        def make(uow: UnitOfWork) -> MadeTicket:
            ticket = tickets.open_ticket(uow, requester.actor, new, Channel.API)
            for name, value in self._consistent(uow, state).items():
                setattr(ticket, name, value)
            return MadeTicket(ticket.id, ticket.number)

        return self.database.write(make)

    def _consistent(self, uow: UnitOfWork, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state with the times that its status cannot be without."""
        status = state.get("status", Status.NEW)
        if status in {Status.RESOLVED, Status.CLOSED}:
            state = {"resolved_at": uow.now, "resolution_notes": "Put out.", **state}
        if status is Status.CLOSED:
            state = {"closed_at": uow.now, **state}
        if "resolution_due_at" in state:
            state = {"resolution_due_key": state["resolution_due_at"], **state}
        return state

    def message(self, author: Person, ticket: MadeTicket, content: str, audience: Audience = Audience.PUBLIC) -> UUID:
        """Say something on a ticket."""
        if audience is Audience.INTERNAL:
            return self.database.write(conversation.note, author.actor, ticket.id, content).id
        return self.database.write(conversation.reply, author.actor, ticket.id, content, CommentType.COMMENT).id

    def row(self, ticket: MadeTicket) -> Ticket:
        """Return a ticket's row as it now is."""

        def load(uow: UnitOfWork) -> Ticket:
            return uow.session.execute(select(Ticket).where(Ticket.id == ticket.id)).scalar_one()

        return self.database.write(load)


class Cast:
    """The people most tests are about; each comes into being when first named."""

    def __init__(self, make: Factory) -> None:
        self._make = make

    @cached_property
    def support(self) -> UUID:
        """The team of `agent`, `colleague` and `lead`."""
        return self._make.team("Support")

    @cached_property
    def research(self) -> UUID:
        """A team that only `outsider` is in."""
        return self._make.team("R&D")

    @cached_property
    def customer(self) -> Person:
        return self._make.person(name="Carla Customer", email="carla@example.org", phone="+390471123456")

    @cached_property
    def stranger(self) -> Person:
        """Another customer."""
        return self._make.person(name="Stefan Stranger")

    @cached_property
    def agent(self) -> Person:
        return self._make.person(Role.AGENT, "Anna Agent", teams=[self.support])

    @cached_property
    def colleague(self) -> Person:
        """Another agent of the same team."""
        return self._make.person(Role.AGENT, "Carlo Colleague", teams=[self.support])

    @cached_property
    def outsider(self) -> Person:
        """An agent of another team."""
        return self._make.person(Role.AGENT, "Otto Outsider", teams=[self.research])

    @cached_property
    def lead(self) -> Person:
        return self._make.person(Role.TEAM_LEAD, "Lea Lead", teams=[self.support])

    @cached_property
    def manager(self) -> Person:
        return self._make.person(Role.MANAGER, "Mario Manager")

    @cached_property
    def admin(self) -> Person:
        return self._make.person(Role.ADMIN, "Ada Admin")

    def of(self, role: Role) -> Person:
        """The person of a role."""
        return {
            Role.END_USER: lambda: self.customer,
            Role.AGENT: lambda: self.agent,
            Role.TEAM_LEAD: lambda: self.lead,
            Role.MANAGER: lambda: self.manager,
            Role.ADMIN: lambda: self.admin,
        }[role]()
