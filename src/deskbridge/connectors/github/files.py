"""Files of issues, which GitHub's API has no place for: kept in a branch of the repository, a folder for each issue.

A file's name there says when it was added and what it is called: `20260304T103015Z--error%20log.txt`.
"""

import mimetypes
import re
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from deskbridge.connectors.github.client import Json, segment
from deskbridge.sync.connector import Attachment

_NAME = re.compile(r"(\d{8}T\d{6}Z)--(.+)")
_STAMP = "%Y%m%dT%H%M%SZ"


def folder(remote_id: str) -> str:
    return f".deskbridge/{segment(remote_id)}"


def name_of(name: str, at: datetime) -> str:
    """Return the name a file is kept by: nothing in it can lead out of its folder."""
    return f"{at.astimezone(UTC).strftime(_STAMP)}--{quote(name, safe='')}"


def read(row: Json) -> Attachment | None:
    """Return a file of the folder; None for what we did not put there."""
    found = _NAME.fullmatch(str(row["name"]))
    if found is None or row["type"] != "file":
        return None
    name = unquote(found[2])
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    added_at = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
    return Attachment(str(row["name"]), name, int(row["size"]), media, None, added_at)
