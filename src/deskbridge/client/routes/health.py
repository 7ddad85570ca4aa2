"""What can be called: health. Written by `make docs` from the API's routes; change those instead."""

from deskbridge.client.answers import Health, Readiness
from deskbridge.client.calls import Call, Calls


class HealthRoutes:
    """The routes of the API that are about health."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def health(self) -> Health:
        """Tell that the process is alive."""
        return self._calls.answer(Call("GET", "/health"), Health)

    def ready(self) -> Readiness:
        """Tell whether the database answers and its schema is this version's; 503 until then."""
        return self._calls.answer(Call("GET", "/ready"), Readiness)

    def metrics(self) -> str:
        """Return the metrics of this process for Prometheus, with the desk's jobs and connections.

        Those are left out while the database cannot be read.
        """
        return self._calls.text(Call("GET", "/metrics"))
