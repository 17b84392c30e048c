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
from telstraat_api.http.access import hashed, new_secret
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Database

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LIFE = timedelta(minutes=10)
LEEWAY_S = 60
TIMEOUT_S = 15
SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"
TAKE = "delete from sign_in_attempt where hash = %s and expires_at > now() returning nonce, verifier"


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
        told = got(client, self.settings.oidc_issuer.rstrip("/") + DISCOVERY)
        if told.get("issuer") != self.settings.oidc_issuer:
            raise SignInError(f"the provider calls itself {told.get('issuer')!r}, not {self.settings.oidc_issuer!r}")
        return told

    async def depart(self) -> Departure:
        """Begin a sign-in: remember what must come back, and return where the browser goes."""
        state, nonce, verifier = new_secret(""), secrets.token_urlsafe(24), secrets.token_urlsafe(48)

        def address() -> str:
            with self.client() as client:
                told = self.described(client)
                url, _ = client.create_authorization_url(
                    told["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
                )
            return str(url)

        try:
            url = await asyncio.to_thread(address)
        except (requests.RequestException, ValueError, KeyError) as error:
            raise SignInError("the provider does not answer; try again later, or sign in by mail") from error
        await self.database.execute("delete from sign_in_attempt where expires_at <= now()")
        await self.database.execute(
            "insert into sign_in_attempt (hash, nonce, verifier, expires_at) values (%s, %s, %s, now() + %s)",
            (hashed(state), nonce, verifier, LIFE),
        )
        return Departure(url, state)

    async def arrive(self, state: str, code: str) -> int:
        """Return the account of whom the provider vouches for; raise `SignInError` when anything does not fit."""
        row = await self.database.row(TAKE, (hashed(state),))
        if row is None:
            raise SignInError("this sign-in has ended or was finished already: begin again")

        def claims() -> dict[str, Any]:
            with self.client() as client:
                told = self.described(client)
                token = client.fetch_token(told["token_endpoint"], code=code, code_verifier=row["verifier"])
                return self.checked(token["id_token"], got(client, told["jwks_uri"]), row["nonce"])

        try:
            vouched = await asyncio.to_thread(claims)
        except (requests.RequestException, AuthlibBaseError, JoseError, ValueError, KeyError) as error:
            raise SignInError("the provider's answer could not be trusted: begin again") from error
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
        who = {"issuer": self.settings.oidc_issuer, "subject": str(claims["sub"])}
        known = await self.database.row(
            "select account_id, disabled_at from account_identity join account using (account_id)"
            " where issuer = %(issuer)s and subject = %(subject)s",
            who,
        )
        if known is None:
            known = await self.by_address(claims)
            await self.database.execute(
                "insert into account_identity (issuer, subject, account_id) values (%(issuer)s, %(subject)s, %(account)s)"
                " on conflict do nothing",
                {**who, "account": known["account_id"]},
            )
        if known["disabled_at"] is not None:
            raise SignInError("this account was closed; ask the operator")
        return int(known["account_id"])

    async def by_address(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Return the account of a verified address; make one when the operator lets the provider's people in."""
        email = str(claims.get("email") or "").lower()
        if not email or claims.get("email_verified") is not True:
            raise SignInError("the provider has not verified your address; ask the operator to let you in")
        row = await self.database.row("select account_id, disabled_at from account where email = %s", (email,))
        if row is None and self.settings.oidc_new_role:
            row = await self.database.row(
                "insert into account (email, name, role) values (%s, %s, %s)"
                " on conflict (email) do update set email = excluded.email returning account_id, disabled_at",
                (email, str(claims.get("name", ""))[:100], self.settings.oidc_new_role),
            )
        if row is None:
            raise SignInError(f"nobody of {email} may sign in here yet; ask the operator to let you in")
        return row
