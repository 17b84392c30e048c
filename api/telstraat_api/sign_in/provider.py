"""The operator's OpenID Connect provider: authorization code with PKCE, state and nonce; the answer is checked before it counts."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from telstraat_api.errors import SignInError
from telstraat_api.settings import ApiSettings
from telstraat_contract.languages import gettext_noop
from telstraat_store.accounts import identities as stored
from telstraat_store.accounts.secrets import new_secret
from telstraat_store.connection import Database

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LIFE = timedelta(minutes=10)
LEEWAY_S = 60
TIMEOUT_S = 15
SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Departure:
    """Where a browser goes, and what it carries to be known again."""

    url: str
    state: str


def got(client: OAuth2Session, url: str) -> dict[str, Any]:
    """Return a document of the provider; it is not sent elsewhere for it."""
    answer = client.get(url, withhold_token=True, allow_redirects=False)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


class Provider:
    """Sends browsers to the provider and reads what they bring back."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings

    @property
    def returns_to(self) -> str:
        """Where the provider sends browsers back to."""
        return f"{self.settings.public_url}/sign-in/provider/return"

    def client(self) -> OAuth2Session:
        """Return a client of the provider; it blocks, so it runs beside the service's loop."""
        path = self.settings.oidc_client_secret_file
        secret = path.read_text(encoding="utf-8").strip() if path else None
        return OAuth2Session(
            client_id=self.settings.oidc_client_id,
            client_secret=secret,
            scope=SCOPE,
            redirect_uri=self.returns_to,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            default_timeout=TIMEOUT_S,
        )

    def described(self, client: OAuth2Session) -> dict[str, Any]:
        """Return what the provider says of itself; it must be the one that the operator has named."""
        description = got(client, self.settings.oidc_issuer.rstrip("/") + DISCOVERY)
        issuer = description.get("issuer")
        if issuer != self.settings.oidc_issuer:
            raise SignInError(f"the provider calls itself {issuer!r}, not {self.settings.oidc_issuer!r}")
        return description

    async def depart(self) -> Departure:
        """Begin a sign-in: remember what must come back, and return where the browser goes."""
        state, nonce, verifier = new_secret(""), secrets.token_urlsafe(24), secrets.token_urlsafe(48)

        def address() -> str:
            with self.client() as client:
                description = self.described(client)
                url, _ = client.create_authorization_url(
                    description["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
                )
            return str(url)

        try:
            url = await asyncio.to_thread(address)
        except (requests.RequestException, ValueError, KeyError) as error:
            raise SignInError(
                gettext_noop("the provider does not answer; try again later, or sign in by mail")
            ) from error
        async with self.database.connection() as connection:
            await stored.begin_attempt(connection, state, nonce=nonce, verifier=verifier, life=LIFE)
        return Departure(url, state)

    async def arrive(self, state: str, code: str) -> int:
        """Return the account of whom the provider vouches for; raise `SignInError` when anything does not fit."""
        async with self.database.connection() as connection:
            attempt = await stored.take_attempt(connection, state)
        if attempt is None:
            raise SignInError(gettext_noop("this sign-in has ended or was finished already: begin again"))

        def claims() -> dict[str, Any]:
            with self.client() as client:
                description = self.described(client)
                token = client.fetch_token(description["token_endpoint"], code=code, code_verifier=attempt["verifier"])
                return self.checked(token["id_token"], got(client, description["jwks_uri"]), attempt["nonce"])

        try:
            vouched = await asyncio.to_thread(claims)
        except (requests.RequestException, AuthlibBaseError, JoseError, ValueError, KeyError) as error:
            raise SignInError(gettext_noop("the provider's answer could not be trusted: begin again")) from error
        return await self.account_of(vouched)

    def checked(self, id_token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of a token that is signed, meant for us, still valid, and the answer to this very sign-in."""
        token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.oidc_issuer},
            aud={"essential": True, "value": self.settings.oidc_client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(token.claims)
        party = token.claims.get("azp")
        if party is not None and party != self.settings.oidc_client_id:
            raise ValueError("the token is for another client")
        return dict(token.claims)

    async def account_of(self, claims: dict[str, Any]) -> int:
        """Return the account of an identity: known from before, or by an address that the provider has verified."""
        issuer, subject = self.settings.oidc_issuer, str(claims["sub"])
        async with self.database.connection() as connection:
            account = await stored.account_of_identity(connection, issuer, subject)
            if account is None:
                email = verified_address(claims)
                account = await stored.admit_identity(
                    connection,
                    issuer,
                    subject,
                    email=email,
                    name=str(claims.get("name", ""))[:100],
                    new_role=self.settings.oidc_new_role,
                )
                if account is None:
                    raise SignInError(f"nobody of {email} may sign in here yet; ask the operator to let you in")
        if account["disabled_at"] is not None:
            raise SignInError(gettext_noop("this account was closed; ask the operator"))
        return int(account["account_id"])


def verified_address(claims: dict[str, Any]) -> str:
    """Return the address of mail that the provider has verified, or raise `SignInError`."""
    email = str(claims.get("email") or "").lower()
    if not email or claims.get("email_verified") is not True:
        raise SignInError(gettext_noop("the provider has not verified your address; ask the operator to let you in"))
    return email
