"""Alembic's way in; `deskbridge.kit.schema` opens the connection and calls it."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum

from deskbridge.kit import model
from deskbridge.kit.model import Base
from deskbridge.kit.schema import is_mapped
from deskbridge.models import load_models

load_models()


NAMED = {id(model.Json): "Json", id(model.Digest): "Digest", id(model.LongText): "LongText", id(model.Serial): "Serial"}


def _render(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their names, and a choice as the plain text it is kept as."""
    if kind != "type":
        return False
    if isinstance(item, Enum):
        return f"sa.String({item.length})"
    name = NAMED.get(id(item)) or (type(item).__name__ + "()" if type(item).__module__ == model.__name__ else None)
    if name is None:
        return False
    context.imports.add(f"from {model.__name__} import {name.removesuffix('()')}")
    return name


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    include_object=is_mapped,
    render_item=_render,
    render_as_batch=False,
    transaction_per_migration=False,
)
context.run_migrations()
