"""A mail server and an identity provider for the tests of sign-in, both real servers on this machine."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socket
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from tests.harness.serving import serving


class Letters(Message):
    """Keeps the letters that come in."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.came: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> EmailMessage:
        return email.message_from_bytes(envelope.content, policy=email.policy.default)

    def handle_message(self, message: Any) -> None:
        self.came.append(message)

    def wait(self, number: int) -> EmailMessage:
        for _ in range(2000):
            if len(self.came) >= number:
                return self.came[number - 1]
            time.sleep(0.01)
        raise AssertionError(f"{len(self.came)} letters came, {number} were expected")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[int, Letters]]:
    """Run a mail server; yields its port and its letters."""
    letters = Letters()
    controller = Controller(letters, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port, letters
    finally:
        controller.stop()


class Identities:
    """An OpenID Connect provider: authorization code with PKCE, RS256. `claims` and the switches are for the tests to set."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.signs_with = self.key
        self.issuer = ""
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.authorisations: list[dict[str, str]] = []
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.describe)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)
        self.app.get("/keys")(self.keys)

    async def describe(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in (("authorization", "authorize"), ("token", "token"))},
            "jwks_uri": f"{self.issuer}/keys",
        }  # fmt: skip

    async def keys(self) -> dict[str, Any]:
        return dict(KeySet([self.key]).as_dict(private=False))

    async def authorize(self, request: Request) -> RedirectResponse:
        query = dict(request.query_params)
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        self.authorisations.append(query)
        code = f"code-{len(self.authorisations)}"
        self.codes[code] = query
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}", 303)

    async def token(self, request: Request) -> dict[str, Any]:
        body = (await request.body()).decode()
        sent = dict(part.split("=", 1) for part in body.split("&"))
        query = self.codes.pop(sent["code"], None)
        if query is None or create_s256_code_challenge(sent["code_verifier"]) != query["code_challenge"]:
            raise HTTPException(400, "invalid_grant")
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": query["client_id"], "sub": "person-1", "iat": now, "exp": now + 300,
                  "nonce": query["nonce"], **self.claims}  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with)
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}


@contextlib.contextmanager
def identity_provider() -> Iterator[Identities]:
    """Run a provider on a free port."""
    provider = Identities()
    with serving(uvicorn.Server(uvicorn.Config(provider.app, log_level="warning", access_log=False))) as address:
        provider.issuer = address
        yield provider
