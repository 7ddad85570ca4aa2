"""A small desk with a believable morning, and the server process that browsers look at.

`python -m tests.e2e.sample FOLDER PORT` fills a fresh database in the folder and serves it.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from tests.e2e.trackers import SampleTrackers

from deskbridge.app import create_app
from deskbridge.kit.clock import ManualClock, SystemClock
from deskbridge.kit.db import Database
from deskbridge.kit.schema import upgrade
from deskbridge.people import service as people
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.passwords import hash_password
from deskbridge.people.queries import actor_of_person
from deskbridge.settings import Settings
from deskbridge.tickets import conversation, service
from deskbridge.tickets.model import Channel, Priority, Status
from deskbridge.wiring import wire

SETTINGS = Settings(
    _env_file=None, DATABASE_URL="sqlite:///unused.db", JWT_SECRET_KEY="j" * 40, SECRET_KEY="s" * 40,
    PORTAL_OPEN_TICKETS="off",
)  # fmt: skip
PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
PEOPLE = {
    "anna": ("Anna Müller", Role.END_USER, "en"),
    "luca": ("Luca Bianchi", Role.END_USER, "it"),
    "jonas": ("Jonas Weber", Role.END_USER, "de"),
    "sara": ("Sara Vogel", Role.AGENT, "en"),
    "tom": ("Tom Berger", Role.AGENT, "de"),
    "lea": ("Lea Conti", Role.TEAM_LEAD, "it"),
    "max": ("Max Huber", Role.MANAGER, "en"),
    "ada": ("Ada Rossi", Role.ADMIN, "en"),
}
SUBJECTS = [
    ("Cannot sign in after password reset", "Since the reset this morning the page only says *Something went wrong*."),
    ("Invoice 2026-1187 shows the wrong VAT rate", "It says 10 %, it should be 22 %. See also #1001."),
    ("Rechnungsadresse ändern", "Bitte ab Dezember an die neue Anschrift schicken."),
    ("Telefon klingelt nicht auf der zweiten Leitung", "Leitung 2 bleibt stumm, auf Leitung 1 ist alles gut."),
    ("Sincronizzazione bloccata su Jira", "Da ieri sera non arriva più nessun aggiornamento."),
    ("Export to CSV stops at 10,000 rows", "The file ends in the middle of a line:\n\n```\n9999;open;Ann\n```"),
    ("Request for a second user licence", "For our new colleague, from Monday if possible."),
    ("Router keeps rebooting at night", "Every night between two and three, for about a minute."),
]
CATEGORIES = ["INCIDENT", "SERVICE_REQUEST", "SUPPORT", "TECHNICAL_IT", "BUG"]


class Sample:
    """Fills a desk step by step, with time going on between the steps."""

    def __init__(self, database):
        self.database = database
        self.clock = database.clock
        self.password_hash = hash_password(PASSWORD)
        self.actors = {}

    def fill(self, tickets=64):
        """Add the people, two teams, and tickets in every status; the first tickets are the ones tests know."""
        for name, (full, role, locale) in PEOPLE.items():
            new = people.NewUser(
                full, f"{name}@example.org", locale=locale, time_zone="Europe/Rome", role=role,
                password_hash=self.password_hash,
            )  # fmt: skip
            user = self.database.write(people.add_user, SYSTEM, new)
            self.actors[name] = user.id
        members = [self.actors[name] for name in ("sara", "lea")]
        self.support = self.database.write(people.add_team, SYSTEM, "Support", "First line", members).id
        self.network = self.database.write(people.add_team, SYSTEM, "Network", "", [self.actors["tom"]]).id
        self.actors = {name: self.database.read(actor_of_person, id_) for name, id_ in self.actors.items()}
        for index in range(tickets):
            self.clock.advance(timedelta(minutes=7))
            self._ticket(index)

    def act(self, use_case, name, *args, **kwargs):
        self.clock.advance(timedelta(seconds=20))
        return self.database.write(use_case, self.actors[name], *args, **kwargs)

    def _ticket(self, index):
        title, text = SUBJECTS[index % len(SUBJECTS)]
        who = ("anna", "luca", "jonas")[index % 3]
        priority = list(Priority)[(index * 7 + 2) % 4]
        new = service.NewTicket(title, text, CATEGORIES[index % 5])
        number = self.act(service.open_ticket, who, new, Channel.PORTAL).number
        self.act(service.update_ticket, "max", number, {"priority": priority})
        if index % 8 == 7:
            return
        team = self.network if index % 5 == 3 else self.support
        agent = "tom" if index % 5 == 3 else "sara"
        self.act(service.assign, "max", number, {"assignee_id": self.actors[agent].id, "team_id": team})
        self.act(conversation.reply, agent, number, "Thank you, we are looking into it.")
        self.act(conversation.note, agent, number, "Looks like the same fault as #1001. Can somebody check the log?")
        self._bring_to(number, agent, index % 8)

    def _bring_to(self, number, agent, step):
        paths = {
            1: [Status.IN_PROGRESS],
            2: [Status.IN_PROGRESS, Status.PENDING_INFO],
            3: [Status.IN_PROGRESS, Status.ESCALATED],
            4: [Status.RESOLVED],
            5: [Status.RESOLVED, Status.CLOSED],
            6: [Status.RESOLVED, Status.REOPENED],
        }
        for status in paths.get(step, []):
            notes = "Set up anew, and tried together with the customer." if status is Status.RESOLVED else None
            self.act(service.change_status, agent, number, status, reopen_window_days=7, resolution_notes=notes)


def open_sample(folder, now=NOW):
    """Return a filled database in the folder; its tickets were opened in the hours before `now`."""
    clock = ManualClock(now - timedelta(hours=12))
    database = Database(f"sqlite:///{folder}/desk.db", clock, wire(SETTINGS).subscriptions)
    upgrade(database.engine)
    sample = Sample(database)
    sample.fill()
    SampleTrackers(sample).add(now)
    return sample


def main():
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    os.chdir(folder)
    now = datetime.now(UTC)
    sample = open_sample(folder, now)
    sample.database.clock = SystemClock()
    uvicorn.run(
        create_app(SETTINGS.model_copy(update={"SERVICE_PORT": port}), sample.database),
        port=port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
