"""The people of the demo: three teams, somebody in every role, customers who write in three languages."""

from dataclasses import dataclass
from uuid import UUID

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.people.model import User
from deskbridge.people.passwords import hash_password
from deskbridge.people.queries import actor_of_person
from deskbridge.people.service import NewUser, add_team, add_user

PASSWORD = "deskbridge"  # noqa: S105 - printed at every start: everybody in the demo has it
TIME_ZONE = "Europe/Rome"


@dataclass(frozen=True)
class Person:
    """Somebody in the demo; stories call them by the part of their address before the @."""

    name: str
    email: str
    phone: str
    role: Role = Role.END_USER
    team: str | None = None
    locale: str = "en"
    organisation: str = "Deskbridge Services"

    @property
    def key(self) -> str:
        return self.email.partition("@")[0]


TEAMS = {
    "Support": "The first to answer: accounts, devices, networks, questions of every kind.",
    "Admin": "Facilities, purchasing, contracts and invoices.",
    "R&D": "The developers of the platforms, called in for outages and defects.",
}

PEOPLE = [
    Person("Alex Moser", "alex@example.org", "+39 0471 100001", Role.ADMIN, locale="de"),
    Person("Martina Kofler", "martina@example.org", "+39 0471 100002", Role.MANAGER, locale="de"),
    Person("Petra Hofer", "petra@example.org", "+39 0471 100003", Role.TEAM_LEAD, "Support", "de"),
    Person("Stefan Gruber", "stefan@example.org", "+39 0471 100004", Role.TEAM_LEAD, "R&D", "de"),
    Person("Amelia Clarke", "amelia@example.org", "+39 0471 100005", Role.AGENT, "Support"),
    Person("Jonas Weber", "jonas@example.org", "+39 0471 100006", Role.AGENT, "Support", "de"),
    Person("Luca Ferrari", "luca@example.org", "+39 0471 100007", Role.AGENT, "Support", "it"),
    Person("Karin Oberhofer", "karin@example.org", "+39 0471 100008", Role.AGENT, "Admin", "de"),
    Person("Tom Whitfield", "tom@example.org", "+39 0471 100009", Role.AGENT, "Admin"),
    Person("Elena Conti", "elena@example.org", "+39 0471 100010", Role.AGENT, "R&D", "it"),
    Person("Ravi Menon", "ravi@example.org", "+39 0471 100011", Role.AGENT, "R&D"),
    Person("Emily Carter", "emily@example.org", "+44 117 496 0101", organisation="Harbour & Finch Travel"),
    Person("Oliver Bennett", "oliver@example.org", "+44 117 496 0102", organisation="Harbour & Finch Travel"),
    Person("Priya Nair", "priya@example.org", "+39 0471 200101", organisation="Campus Bozen Bolzano"),
    Person("Hannah Pichler", "hannah@example.org", "+39 0472 300101", locale="de", organisation="Brenner Logistik"),
    Person("Lukas Steiner", "lukas@example.org", "+39 0471 200102", locale="de", organisation="Campus Bozen Bolzano"),
    Person("Sabine Egger", "sabine@example.org", "+39 0473 400101", locale="de", organisation="Hotel Lärchenhof"),
    Person("Giulia Rossi", "giulia@example.org", "+39 0461 500101", locale="it", organisation="Studio Rinaldi"),
    Person("Marco Bianchi", "marco@example.org", "+39 0461 500102", locale="it", organisation="Cantina San Valentino"),
    Person(
        "Chiara Esposito", "chiara@example.org", "+39 0471 200103", locale="it", organisation="Campus Bozen Bolzano"
    ),
    Person("Noah Fischer", "noah@example.org", "+39 0472 300102", organisation="Brenner Logistik"),
]
NEWCOMER = PEOPLE[-1]
"""A customer whom no story calls: who has an open request cannot send another one, and the tour wants to."""


@dataclass(frozen=True)
class Cast:
    """Everybody who acts in the stories, and the teams, by name."""

    actors: dict[str, Actor]
    team_ids: dict[str, UUID]


def add_everybody(uow: UnitOfWork) -> Cast:
    """Add the people and their teams; one hash serves all, for hashing twenty times would take a second."""
    password_hash = hash_password(PASSWORD)
    users = {person.key: add_user(uow, SYSTEM, _new_user(person, password_hash)) for person in PEOPLE}
    team_ids = {name: _add_team(uow, name, users) for name in TEAMS}
    return Cast({key: _actor(uow, user) for key, user in users.items()}, team_ids)


def _new_user(person: Person, password_hash: str) -> NewUser:
    return NewUser(
        name=person.name,
        email=person.email,
        phone=person.phone,
        role=person.role,
        organisation=person.organisation,
        locale=person.locale,
        time_zone=TIME_ZONE,
        password_hash=password_hash,
    )


def _add_team(uow: UnitOfWork, name: str, users: dict[str, User]) -> UUID:
    members = [users[person.key].id for person in PEOPLE if person.team == name]
    return add_team(uow, SYSTEM, name, TEAMS[name], members).id


def _actor(reader: Reader, user: User) -> Actor:
    return actor_of_person(reader, user.id)
