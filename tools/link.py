"""Put this clone's `deskbridge` on the path of its own .venv, without a build back end (and so without a download)."""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """#!{python}
import sys

from deskbridge.cli import main

sys.exit(main())
"""


def link() -> None:
    """Write the path file and the `deskbridge` command into the environment that runs this."""
    site_packages = Path(sysconfig.get_path("purelib"))
    (site_packages / "deskbridge.pth").write_text(f"{ROOT / 'src'}\n")
    command = Path(sysconfig.get_path("scripts")) / "deskbridge"
    command.write_text(SCRIPT.format(python=sys.executable))
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    link()
