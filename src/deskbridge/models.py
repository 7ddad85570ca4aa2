"""Every module that maps a table: for what needs the whole schema at once (migrations, tests, the ER diagram)."""

from importlib import import_module

MODULES = (
    "deskbridge.kit.events",
    "deskbridge.kit.idempotency",
    "deskbridge.kit.limits",
    "deskbridge.kit.queue",
    "deskbridge.people.model",
    "deskbridge.search.model",
    "deskbridge.sla.model",
    "deskbridge.sync.model",
    "deskbridge.tickets.companions",
    "deskbridge.tickets.model",
)


def load_models() -> None:
    """Import them all, so that `Base.metadata` is complete."""
    for module in MODULES:
        import_module(module)
