"""The tables of people, teams, and of what they sign in with."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Sequence, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Digest, Json, choice, table_args
from deskbridge.people.actor import Role

CUSTOMER_NUMBERS = Sequence("customer_numbers", start=1, metadata=Base.metadata)


class User(Base):
    """A person. `email_key` and `phone` are what they sign in with, so those are unique; `email` is as they wrote it.

    Those who come from elsewhere (an auth service, an imported log) are keyed by (issuer, subject) and have no
    `email_key`: an address in a foreign token must never make somebody the person who has it here.
    """

    __tablename__ = "users"
    __table_args__ = table_args(UniqueConstraint("issuer", "subject"), Index(None, "role", "name", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_number: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(20), unique=True)
    address: Mapped[str] = mapped_column(String(500))
    organisation: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(10))
    time_zone: Mapped[str] = mapped_column(String(60))
    role: Mapped[Role] = mapped_column(choice(Role))
    active: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(Text)
    issuer: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str | None] = mapped_column(String(200))
    skills: Mapped[list[str]] = mapped_column(Json)
    available: Mapped[bool]
    capacity: Mapped[int]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def customer_id(self) -> str:
        return customer_id(self.customer_number)


def customer_id(number: int) -> str:
    """Return the customer ID as it is shown: `C-000123`."""
    return f"C-{number:06}"


class Dispatch(StrEnum):
    """How a team's tickets find their agent: by hand, each in turn, or whoever has the fewest open ones."""

    MANUAL = "MANUAL"
    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_LOADED = "LEAST_LOADED"


class Team(Base):
    """A group of agents that tickets are handed to. `last_assigned_id` is whose turn it was last."""

    __tablename__ = "teams"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(500))
    active: Mapped[bool]
    assignment: Mapped[Dispatch] = mapped_column(choice(Dispatch), default=Dispatch.MANUAL, server_default="MANUAL")
    last_assigned_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class TeamMember(Base):
    """Who is in which team; the leads of a team are its members with role TEAM_LEAD."""

    __tablename__ = "team_members"

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class WebSession(Base):
    """A signed-in browser. The cookie holds the secret, this row its digest."""

    __tablename__ = "sessions"

    digest: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class TokenFamily(Base):
    """One sign-in over the API: every access and refresh token that descends from it, revoked together."""

    __tablename__ = "token_families"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RefreshToken(Base):
    """A refresh token. Spent ones stay until they expire: seeing one again is the sign that it was stolen."""

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_families.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]


class ApiToken(Base):
    """A personal API token: shown once, kept as a digest, narrowed by its scopes, revocable."""

    __tablename__ = "api_tokens"

    digest: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


def new_user_values() -> dict[str, Any]:
    """Return what a person has before anything is known about them."""
    return {
        "address": "",
        "organisation": "",
        "locale": "en",
        "time_zone": "UTC",
        "role": Role.END_USER,
        "active": True,
        "skills": [],
        "available": True,
        "capacity": 20,
    }
