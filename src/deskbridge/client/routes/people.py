"""What can be called: people. Written by `make docs` from the API's routes; change those instead."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import NewApiToken, Profile, TokenList, Tokens
from deskbridge.client.calls import Call, Calls, once, segment


class PeopleRoutes:
    """The routes of the API that are about people."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def login(self, *, username: str, password: str) -> Tokens:
        """Sign in with an e-mail address, phone number or customer ID and a password."""
        return self._calls.answer(
            Call("POST", "/api/v1/auth/login", body={"username": username, "password": password}), Tokens
        )

    def refresh(self, *, refresh_token: str) -> Tokens:
        """Trade a refresh token, once, for new tokens. Using one a second time ends the whole sign-in."""
        return self._calls.answer(Call("POST", "/api/v1/auth/refresh", body={"refresh_token": refresh_token}), Tokens)

    def logout(self, *, refresh_token: str | UnsetType | None = UNSET) -> None:
        """End this sign-in: its access and refresh tokens are refused from now on."""
        self._calls.nothing(Call("POST", "/api/v1/auth/logout", body={"refresh_token": refresh_token}))

    def register(
        self,
        *,
        name: str,
        password: str,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
    ) -> Profile:
        """Register as a customer."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/auth/register",
                body={
                    "name": name,
                    "email": email,
                    "phone": phone,
                    "password": password,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                },
            ),
            Profile,
        )

    def me(self) -> Profile:
        """Return who is signed in."""
        return self._calls.answer(Call("GET", "/api/v1/auth/me"), Profile)

    def list_tokens(self) -> TokenList:
        """Return one's own personal API tokens, without their secrets."""
        return self._calls.answer(Call("GET", "/api/v1/auth/tokens"), TokenList)

    def create_token(
        self, *, name: str, scopes: list[str] | UnsetType = UNSET, expires_at: datetime | UnsetType | None = UNSET
    ) -> NewApiToken:
        """Make a personal API token. This answer is the only time its secret is shown; another token cannot ask for
        it.
        """
        return self._calls.answer(
            Call("POST", "/api/v1/auth/tokens", body={"name": name, "scopes": scopes, "expires_at": expires_at}),
            NewApiToken,
        )

    def revoke_token(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Revoke one of one's own personal API tokens."""
        self._calls.nothing(Call("DELETE", f"/api/v1/auth/tokens/{segment(id)}", key=once(idempotency_key)))
