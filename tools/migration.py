"""Draft the next migration from what the models have and a freshly migrated database does not.

    .venv/bin/python -m tools.migration "add the outbox"

The draft is for a person to read, name and finish: sequences and data moves are not found by comparison.
"""

import re
import sys
import tempfile
from pathlib import Path

from alembic import command

from deskbridge.kit.engines import make_engines
from deskbridge.kit.schema import MIGRATIONS, migration_config, upgrade

IMPORTS = "from alembic import op\nfrom deskbridge.kit.model import MARIADB\n"
MARIADB_OPTIONS = re.compile(r"mariadb_charset='utf8mb4',\s*mariadb_collate='utf8mb4_nopad_bin'")


def draft(message: str) -> Path:
    """Write the next `migrations/versions/NNNN_<message>.py` and return its path."""
    number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
    config = migration_config()
    with tempfile.TemporaryDirectory() as folder:
        engine, _ = make_engines(f"sqlite:///{folder}/empty.db")
        if number > 1:
            upgrade(engine)
        with engine.connect() as connection, connection.begin():
            config.attributes["connection"] = connection
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
    (path,) = (MIGRATIONS / "versions").glob(f"{number:04}_*.py")
    path.write_text(_idempotent(path.read_text()))
    return path


def _idempotent(text: str) -> str:
    """Make what MariaDB cannot roll back skip what an interrupted run has already made."""
    text = MARIADB_OPTIONS.sub("**MARIADB,\n    if_not_exists=True", text)
    text = re.sub(r"(op\.create_index\(.*)\)\n", r"\1, if_not_exists=True)\n", text)
    if "**MARIADB" in text:
        text = text.replace("from alembic import op\n", IMPORTS)
    return "\n".join(line for line in text.splitlines() if "###" not in line) + "\n"


if __name__ == "__main__":
    print(draft(" ".join(sys.argv[1:])))
