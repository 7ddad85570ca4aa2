"""A worker in a process of its own: `python -m tests.support.worker_process DATABASE_URL`.

It says `ready`, and for every line it reads it runs one batch and says how many jobs that were. Jobs: `count` leaves a
row that names its number and this process; `hang` leaves a row, says `started` and never ends.
"""

import os
import sys
import threading
from typing import Any

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.kit.jobs import Job, Worker
from deskbridge.people.model import Team


def count(uow: UnitOfWork, payload: dict[str, Any]) -> None:
    number, process = payload["number"], os.getpid()
    uow.session.add(Team(id=new_id(), name=f"{number} {new_id()}", description=f"{number} {process}", active=True))


def hang(uow: UnitOfWork, payload: dict[str, Any]) -> None:
    count(uow, payload)
    uow.session.flush()
    print("started", flush=True)
    threading.Event().wait()


def main(url: str) -> None:
    database = Database(url)
    worker = Worker(database, [Job("count", run=count), Job("hang", run=hang)])
    print("ready", flush=True)
    for _ in sys.stdin:
        print(worker.run_due(), flush=True)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
