"""The use cases about people: joining, signing in and out, tokens, roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import and_, delete, or_, select, update

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Unauthenticated
from deskbridge.kit.ids import fingerprint, new_id, new_secret
from deskbridge.kit.limits import forget_tries, give_try_back, take_try
from deskbridge.kit.numbers import next_number
from deskbridge.kit.text import clean_line, clean_text, email_key, parse_phone
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.people.events import RoleChanged, TeamAdded, TokensStolen, UserAdded, UserDeactivated
from deskbridge.people.model import (
    CUSTOMER_NUMBERS,
    ApiToken,
    RefreshToken,
    Team,
    TeamMember,
    TokenFamily,
    User,
    WebSession,
    new_user_values,
)
from deskbridge.people.queries import SESSION_IDLE, by_identifier
from deskbridge.people.tokens import REFRESH_LIFETIME, ForeignToken

SESSION_LIFETIME = timedelta(days=14)
SIGN_IN_WINDOW = timedelta(minutes=15)
TRIES_PER_PERSON, TRIES_PER_ADDRESS = 5, 50
LOCALES = ("en", "de", "it")
SCOPES = ("read", "write", "admin")
API_TOKEN_PREFIX = "dbk_"  # noqa: S105 - what tells them from JWTs


class DuplicateEmail(Conflict):
    """The e-mail address belongs to another account."""

    code = "EMAIL_TAKEN"
    summary = "There is already an account with this e-mail address."


class DuplicatePhone(Conflict):
    """The phone number belongs to another account."""

    code = "PHONE_TAKEN"
    summary = "There is already an account with this phone number."


@dataclass(frozen=True)
class NewUser:
    """Who somebody is, as they or an agent wrote it. At least one of e-mail and phone is needed to sign in."""

    name: str
    email: str | None = None
    phone: str | None = None
    address: str = ""
    organisation: str = ""
    locale: str = "en"
    time_zone: str = "UTC"
    role: Role = Role.END_USER
    password_hash: str | None = None


def add_user(uow: UnitOfWork, actor: Actor | None, new: NewUser) -> User:
    """Add a person; `actor` is None when they register themselves.

    Raises `Invalid` naming every bad field, `DuplicateEmail`, `DuplicatePhone`, and `Forbidden` for giving a role other
    than END_USER without being an ADMIN.
    """
    if new.role is not Role.END_USER and (actor is None or actor.role is not Role.ADMIN):
        raise Forbidden("Only an administrator gives out roles.")
    email, phone = checked_contact(new)
    require_unused(uow, email, phone)
    user = User(**new_user_values())
    user.id = new_id()
    user.customer_number = next_number(uow, CUSTOMER_NUMBERS, User.customer_number)
    user.name, user.email, user.email_key, user.phone = clean_line(new.name), email, email and email_key(email), phone
    user.address, user.organisation = clean_text(new.address), clean_line(new.organisation)
    user.locale, user.time_zone, user.role, user.password_hash = new.locale, new.time_zone, new.role, new.password_hash
    user.created_at = user.updated_at = uow.now
    uow.session.add(user)
    uow.session.flush()
    uow.record(UserAdded(subject_id=user.id, actor_id=actor.id if actor else user.id, role=user.role))
    return user


def checked_contact(new: NewUser) -> tuple[str | None, str | None]:
    """Return the e-mail and the phone in their kept form; raises `Invalid` with everything that is wrong."""
    errors = []
    email = clean_line(new.email or "") or None
    phone = parse_phone(new.phone) if new.phone and new.phone.strip() else None
    if not 1 <= len(clean_line(new.name)) <= 200:
        errors.append(FieldError("name", "Enter a name of 1 to 200 characters."))
    if email is not None:
        try:
            validate_email(email, check_deliverability=False)
        except EmailNotValidError:
            errors.append(FieldError("email", "Enter an e-mail address such as name@example.org."))
    if new.phone and new.phone.strip() and phone is None:
        errors.append(FieldError("phone", "Enter a phone number with its country code, for example +39 0471 123456."))
    if email is None and phone is None and not errors:
        errors.append(FieldError("email", "Enter an e-mail address or a phone number."))
    errors += unknown_settings(new.locale, new.time_zone)
    if errors:
        raise Invalid(errors)
    return email, phone


def require_unused(uow: UnitOfWork, email: str | None, phone: str | None, by_other_than: UUID | None = None) -> None:
    """Raise `DuplicateEmail` or `DuplicatePhone` when another person signs in with one of these."""
    others = select(User.id).where(User.id != by_other_than) if by_other_than else select(User.id)
    if email and uow.execute(others.where(User.email_key == email_key(email))).first():
        raise DuplicateEmail
    if phone and uow.execute(others.where(User.phone == phone)).first():
        raise DuplicatePhone


def known_time_zone(name: str) -> str:
    """Return the time zone if there is one of that name, else UTC: for what a browser says, not a person."""
    return name if name in available_timezones() else "UTC"


def change_settings(uow: UnitOfWork, actor: Actor, locale: str, time_zone: str | None) -> User:
    """Change one's own language and, unless it is None, time zone; raises `Invalid` naming what is unknown."""
    if actor.id is None:
        raise NotFound("There is no such person.")
    user = locked_user(uow, actor.id)
    wanted = user.time_zone if time_zone is None else time_zone
    errors = unknown_settings(locale, wanted)
    if errors:
        raise Invalid(errors)
    user.locale, user.time_zone = locale, wanted
    touch_user(uow, user)
    return user


def touch_user(uow: UnitOfWork, user: User) -> None:
    """Note that something about a person has changed."""
    user.updated_at = uow.now
    user.version += 1


def unknown_settings(locale: str, time_zone: str) -> list[FieldError]:
    """Return what is wrong with a language and a time zone."""
    errors = []
    if locale not in LOCALES:
        errors.append(FieldError("locale", f"Use one of {', '.join(LOCALES)}."))
    if time_zone not in available_timezones():
        errors.append(FieldError("time_zone", "Use a time zone such as Europe/Rome."))
    return errors


def add_first_administrator(uow: UnitOfWork, email: str, password_hash: str) -> None:
    """Add the administrator that the environment names, unless the desk has one: it counts at the first start only."""
    if uow.execute(select(User.id).where(User.role == Role.ADMIN).limit(1)).first() is None:
        new = NewUser(name=email.partition("@")[0], email=email, role=Role.ADMIN, password_hash=password_hash)
        add_user(uow, SYSTEM, new)


def provision(uow: UnitOfWork, token: ForeignToken, *, trust_admin: bool) -> None:
    """Add the person that a token of the external auth service names, with its role (ADMIN only if trusted).

    Nothing happens when another request has just added them.
    """
    if uow.execute(select(User.id).where(User.issuer == token.issuer, User.subject == token.subject)).first():
        return
    try:
        wanted: UUID | None = UUID(token.subject)
    except ValueError:
        wanted = None
    taken = wanted is None or uow.session.get(User, wanted) is not None
    role = Role.MANAGER if token.role is Role.ADMIN and not trust_admin else token.role
    id_ = new_id() if wanted is None or taken else wanted
    _add_foreigner(uow, id_, token.issuer, token.subject, token.name, token.email, role)


def add_foreigner(uow: UnitOfWork, issuer: str, subject: str, name: str, email: str | None) -> UUID:
    """Return the customer that another system knows as `subject`, added if they were not here yet.

    Their address is theirs to be written to, and never makes them somebody who has it here.
    """
    known = uow.execute(select(User.id).where(User.issuer == issuer, User.subject == subject)).scalar_one_or_none()
    if known is not None:
        found: UUID = known
        return found
    return _add_foreigner(uow, new_id(), issuer, subject, clean_line(name)[:200] or subject, email, Role.END_USER).id


def _add_foreigner(
    uow: UnitOfWork, id_: UUID, issuer: str, subject: str, name: str, email: str | None, role: Role
) -> User:
    user = User(**new_user_values())
    user.id = id_
    user.customer_number = next_number(uow, CUSTOMER_NUMBERS, User.customer_number)
    user.name, user.email, user.issuer, user.subject, user.role = name, email, issuer, subject, role
    user.created_at = user.updated_at = uow.now
    uow.session.add(user)
    uow.session.flush()
    uow.record(UserAdded(subject_id=user.id, actor_id=None, role=user.role))
    return user


def set_role(uow: UnitOfWork, actor: Actor, user_id: UUID, role: Role) -> User:
    """Give a person another role; ADMIN only, and never the last one's."""
    require_admin(actor)
    user = _locked_with_administrators(uow, user_id)
    if user.role is role:
        return user
    _keep_an_admin(uow, user)
    uow.record(RoleChanged(subject_id=user.id, actor_id=actor.id, old=user.role, new=role))
    user.role = role
    touch_user(uow, user)
    return user


def deactivate(uow: UnitOfWork, actor: Actor, user_id: UUID) -> User:
    """Lock a person out at once: sessions and tokens end. Who follows the event hands back their open tickets."""
    require_admin(actor)
    user = _locked_with_administrators(uow, user_id)
    if user.active:
        _keep_an_admin(uow, user)
        user.active = False
        touch_user(uow, user)
        end_all_sign_ins(uow, user.id)
        uow.record(UserDeactivated(subject_id=user.id, actor_id=actor.id))
    return user


def require_admin(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor is an ADMIN."""
    if actor.role is not Role.ADMIN:
        raise Forbidden("Only an administrator does this.")


def locked_user(uow: UnitOfWork, user_id: UUID) -> User:
    """Load a person for a change, locked until the transaction ends; raises `NotFound`."""
    user = uow.session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def _locked_with_administrators(uow: UnitOfWork, user_id: UUID) -> User:
    """Load a person and lock them with all administrators, in one order: the last two must not both go at once."""
    concerned = or_(User.id == user_id, and_(User.role == Role.ADMIN, User.active))
    rows = uow.session.execute(select(User).where(concerned).order_by(User.id).with_for_update()).scalars().all()
    user = next((row for row in rows if row.id == user_id), None)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def _keep_an_admin(uow: UnitOfWork, user: User) -> None:
    others = select(User.id).where(User.role == Role.ADMIN, User.active, User.id != user.id).limit(1)
    if user.role is Role.ADMIN and uow.execute(others).first() is None:
        raise Conflict("This is the last administrator. Make somebody else one first.")


def add_team(uow: UnitOfWork, actor: Actor, name: str, description: str = "", members: Sequence[UUID] = ()) -> Team:
    """Add a team with its members; ADMIN only."""
    require_admin(actor)
    if uow.execute(select(Team.id).where(Team.name == name)).first():
        raise Conflict("There is already a team with this name.")
    team = Team(id=new_id(), name=name, description=description, active=True)
    uow.session.add(team)
    uow.session.flush()
    uow.session.add_all(TeamMember(team_id=team.id, user_id=member) for member in members)
    uow.record(TeamAdded(subject_id=team.id, actor_id=actor.id))
    return team


# Signing in with a browser


def begin_sign_in(uow: UnitOfWork, who: str, address: str) -> None:
    """Count a sign-in before its password is checked; raises `RateLimited` after too many that failed.

    `who` is the same however somebody spells themselves; whoever is unknown is counted by what they wrote.
    """
    take_try(uow, f"sign-in {who}", TRIES_PER_PERSON, SIGN_IN_WINDOW)
    take_try(uow, f"sign-in from {address}", TRIES_PER_ADDRESS, SIGN_IN_WINDOW)


def forgive_sign_in(uow: UnitOfWork, who: str, address: str) -> None:
    """Take the tries back after one whose password was right: the person's failures before it, the address's one."""
    forget_tries(uow, f"sign-in {who}")
    give_try_back(uow, f"sign-in from {address}")


def start_session(uow: UnitOfWork, user_id: UUID, user_agent: str, address: str) -> str:
    """Start a browser session for somebody whose password was right; return the secret for the cookie."""
    _require_active(uow, user_id)
    secret = new_secret()
    uow.session.add(
        WebSession(
            digest=fingerprint(secret),
            id=new_id(),
            user_id=user_id,
            user_agent=clean_line(user_agent)[:300],
            address=address[:45],
            created_at=uow.now,
            seen_at=uow.now,
            expires_at=uow.now + SESSION_LIFETIME,
        )
    )
    return secret


def touch_session(uow: UnitOfWork, digest: bytes) -> None:
    """Note that a session is in use."""
    uow.execute(update(WebSession).where(WebSession.digest == digest).values(seen_at=uow.now))


def end_session(uow: UnitOfWork, digest: bytes) -> None:
    """Sign a browser out."""
    uow.execute(delete(WebSession).where(WebSession.digest == digest))


def revoke_session(uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
    """End one of one's own sessions; raises `NotFound` for anybody else's."""
    ended = uow.execute(delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == actor.id))
    if not ended.rowcount:
        raise NotFound("There is no such session.")


def end_all_sign_ins(uow: UnitOfWork, user_id: UUID) -> None:
    """End every session and revoke every token of a person."""
    uow.execute(delete(WebSession).where(WebSession.user_id == user_id))
    uow.execute(delete(ApiToken).where(ApiToken.user_id == user_id))
    live = (TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
    uow.execute(update(TokenFamily).where(*live).values(revoked_at=uow.now))


def sweep_sign_ins(uow: UnitOfWork) -> None:
    """Remove the sessions and token families whose time is over."""
    uow.execute(
        delete(WebSession).where((WebSession.expires_at <= uow.now) | (WebSession.seen_at <= uow.now - SESSION_IDLE))
    )
    uow.execute(delete(RefreshToken).where(RefreshToken.expires_at <= uow.now))
    uow.execute(delete(TokenFamily).where(TokenFamily.expires_at <= uow.now))


# Signing in over the API


@dataclass(frozen=True)
class Refreshed:
    """A new refresh token, and whom its family belongs to."""

    refresh_token: str
    family_id: UUID
    user: User


def start_token_family(uow: UnitOfWork, user_id: UUID) -> Refreshed:
    """Start a token family for somebody whose password was right."""
    user = _require_active(uow, user_id)
    family = TokenFamily(
        id=new_id(), user_id=user_id, created_at=uow.now, revoked_at=None, expires_at=uow.now + REFRESH_LIFETIME
    )
    uow.session.add(family)
    uow.session.flush()
    return Refreshed(_add_refresh_token(uow, family), family.id, user)


def rotate_refresh_token(uow: UnitOfWork, secret: str) -> Refreshed | None:
    """Spend a refresh token for a new one; None when it is not valid.

    One that was already spent is a sign of theft: its whole family is revoked, which is why this returns, and commits,
    instead of raising.
    """
    token = uow.session.get(RefreshToken, fingerprint(secret), with_for_update=True)
    if token is None or token.expires_at <= uow.now:
        return None
    family = uow.session.get_one(TokenFamily, token.family_id, with_for_update=True)
    user = uow.session.get_one(User, family.user_id)
    if token.spent_at is not None and family.revoked_at is None:
        family.revoked_at = uow.now
        uow.record(TokensStolen(subject_id=user.id, actor_id=None))
    if token.spent_at is not None or family.revoked_at is not None or not user.active:
        return None
    token.spent_at = uow.now
    family.expires_at = uow.now + REFRESH_LIFETIME
    return Refreshed(_add_refresh_token(uow, family), family.id, user)


def _add_refresh_token(uow: UnitOfWork, family: TokenFamily) -> str:
    secret = new_secret()
    uow.session.add(
        RefreshToken(
            digest=fingerprint(secret), family_id=family.id, expires_at=uow.now + REFRESH_LIFETIME, spent_at=None
        )
    )
    return secret


def revoke_token_family(uow: UnitOfWork, family_id: UUID) -> None:
    """End an API sign-in: its access tokens are refused from now on, its refresh tokens too."""
    uow.execute(
        update(TokenFamily)
        .where(TokenFamily.id == family_id, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=uow.now)
    )


def revoke_family_of_refresh_token(uow: UnitOfWork, secret: str) -> None:
    """End the API sign-in that a refresh token belongs to; an unknown one is nothing to end."""
    token = uow.session.get(RefreshToken, fingerprint(secret))
    if token is not None:
        revoke_token_family(uow, token.family_id)


def _require_active(uow: UnitOfWork, user_id: UUID) -> User:
    user = uow.session.get(User, user_id)
    if user is None or not user.active:
        raise Unauthenticated("There is no active account for these credentials.")
    return user


@dataclass(frozen=True)
class NewApiToken:
    """A personal API token right after it was made: the only time its secret is shown."""

    id: UUID
    secret: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None


def create_api_token(
    uow: UnitOfWork, actor: Actor, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> NewApiToken:
    """Make a personal API token for the actor.

    Raises `Invalid` for an unknown scope or a time that has passed, and `Forbidden` for somebody who has fewer rights
    just now (by a token of the external auth service) than their account has: the new token would have the account's.
    """
    if actor.id is None or not actor.role.at_least(uow.session.get_one(User, actor.id).role):
        raise Forbidden("This sign-in has fewer rights than a token of the account would have.")
    errors = []
    if not clean_line(name):
        errors.append(FieldError("name", "Give the token a name."))
    if not scopes or any(scope not in SCOPES for scope in scopes):
        errors.append(FieldError("scopes", f"Choose from {', '.join(SCOPES)}."))
    if expires_at is not None and expires_at <= uow.now:
        errors.append(FieldError("expires_at", "This time has passed."))
    if errors:
        raise Invalid(errors)
    secret = new_secret(API_TOKEN_PREFIX)
    token = ApiToken(
        digest=fingerprint(secret),
        id=new_id(),
        user_id=actor.id,
        name=clean_line(name),
        scopes=sorted(set(scopes)),
        created_at=uow.now,
        used_at=None,
        expires_at=expires_at,
    )
    uow.session.add(token)
    return NewApiToken(token.id, secret, token.name, token.scopes, token.created_at, token.expires_at)


def touch_api_token(uow: UnitOfWork, digest: bytes) -> None:
    """Note that an API token is in use."""
    uow.execute(update(ApiToken).where(ApiToken.digest == digest).values(used_at=uow.now))


def revoke_api_token(uow: UnitOfWork, actor: Actor, token_id: UUID) -> None:
    """Revoke one of one's own API tokens; raises `NotFound` for anybody else's."""
    gone = uow.execute(delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == actor.id))
    if not gone.rowcount:
        raise NotFound("There is no such API token.")


def find_user(uow: UnitOfWork, identifier: str) -> User:
    """Return the person with this e-mail, phone number, customer ID or id; raises `NotFound`. For the command line."""
    query = by_identifier(identifier)
    user = uow.session.execute(query).scalar_one_or_none() if query is not None else None
    if user is None:
        try:
            user = uow.session.get(User, UUID(identifier))
        except ValueError:
            user = None
    if user is None:
        raise NotFound(f"There is nobody with the e-mail, phone number or customer ID {identifier!r}.")
    return user
