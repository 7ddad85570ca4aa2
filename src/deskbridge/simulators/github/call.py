"""One call in progress, and what a fresh GitHub holds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deskbridge.simulators.github.errors import RefusalError
from deskbridge.simulators.product import USER
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import BadBodyError, Request

OWNER, NAME = "example", "desk"
FULL_NAME = f"{OWNER}/{NAME}"
ME = 1001
MILESTONES = {1: "Next release", 2: "Some day"}
BRANCHES = ("main", "deskbridge")
_USERS = (
    (ME, "desk", "Desk Agent", USER),
    (1002, "mrossi", "Maria Rossi", None),
    (1003, "jweber", "Jonas Weber", None),
)


def seed(state: State) -> None:
    """The users; the repository and its milestones are always the same."""
    for user_id, login, name, mail in _USERS:
        state.table("users").put(str(user_id), {"id": user_id, "login": login, "name": name, "email": mail})


@dataclass(frozen=True, slots=True)
class Call:
    """`now` is cut to whole seconds: GitHub keeps no others."""

    request: Request
    now: datetime
    state: State
    is_public: bool

    @property
    def stamp(self) -> str:
        return render(self.now)

    @property
    def base(self) -> str:
        return self.request.base_url

    @property
    def repository(self) -> str:
        """The API's address of the repository."""
        return f"{self.base}/repos/{FULL_NAME}"

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; 400 as GitHub words it when it is none."""
        try:
            value = self.request.json()
        except BadBodyError as error:
            raise RefusalError(400, "Problems parsing JSON") from error
        if not isinstance(value, dict):
            raise RefusalError(400, "Body should be a JSON object")
        return value

    def whole(self, name: str, default: int, most: int) -> int:
        """A query parameter that is a whole number from 1; what is none is the default, as GitHub does."""
        text = self.request.param(name)
        return min(max(1, int(text)), most) if text.isascii() and text.isdigit() and len(text) < 9 else default


def render(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
