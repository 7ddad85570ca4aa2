"""`python -m deskbridge.cli`: the command line without the installed command."""

import sys

from deskbridge.cli import main

sys.exit(main())
