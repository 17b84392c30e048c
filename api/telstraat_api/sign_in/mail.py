"""Links in mails: random, used once, for fifteen minutes; nobody learns from the answer whether an address is known."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from collections.abc import Coroutine
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from telstraat_api.errors import ApiError, SignInError, TooManyError
from telstraat_api.http.rates import Buckets
from telstraat_api.mail import TIMEOUT_S, new_letter, send
from telstraat_api.settings import ApiSettings
from telstraat_contract.languages import gettext_noop
from telstraat_contract.languages.catalogue import language as language_of
from telstraat_store.accounts.secrets import new_secret
from telstraat_store.accounts.sign_in_links import add_sign_in_link, add_welcome_link, use_sign_in_link
from telstraat_store.connection import Database
from telstraat_store.errors import TelstraatStoreError

log = logging.getLogger("telstraat.api")
LIFE = timedelta(minutes=15)
LINKS_AT_ONCE = 3
"""Links that an address may have waiting: more are not sent."""

ASKS_AT_ONCE = 10


class MailLinks:
    """Makes links, sends them, and takes them back."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings
        self.asks = Buckets(settings.sign_in_per_minute, ASKS_AT_ONCE)
        self.under_way: set[asyncio.Task[None]] = set()

    def ask(self, email: str, asker: str, language: str) -> None:
        """Send a link to an address, if somebody of it may sign in; raise `TooManyError` when the asker asks too often.

        What depends on the address happens after the answer has gone, so that neither words nor time tell.
        """
        self.begin(self.make_and_send(email, language), asker)

    def welcome(self, email: str, sensor_id: int, way_back: str, asker: str, language: str) -> None:
        """Send a link to whoever holds the code of a sensor: into the account of that address, or into a new one.

        It leads on to `way_back`. The answer is the same for every address, as that of `ask` is.
        """
        self.begin(self.make_and_send(email, language, sensor_id, way_back), asker)

    def begin(self, work: Coroutine[Any, Any, None], asker: str) -> None:
        """Do something after the answer has gone; raise `TooManyError` when the asker asks too often."""
        wait = self.asks.take(asker)
        if wait:
            work.close()
            raise TooManyError(f"too many links were asked for; try again in {wait:.0f} s", max(1, round(wait)))
        task = asyncio.create_task(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def make_and_send(
        self, email: str, language: str, sensor_id: int | None = None, way_back: str | None = None
    ) -> None:
        """Make a link for an account, or for somebody new with a sensor's code, and mail it; what goes wrong is for the log."""
        secret = new_secret("")
        try:
            async with self.database.connection() as connection:
                may_sign_in = await (
                    add_sign_in_link(connection, email, secret, life=LIFE, waiting_max=LINKS_AT_ONCE)
                    if sensor_id is None
                    else add_welcome_link(connection, email, sensor_id, secret, life=LIFE, waiting_max=LINKS_AT_ONCE)
                )
            if may_sign_in:
                letter = self.letter(email.lower(), secret, language, way_back)
                await asyncio.to_thread(send, self.settings, letter)
        except (OSError, smtplib.SMTPException, TelstraatStoreError, ApiError) as error:
            log.error("a sign-in link could not be sent: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter

    def letter(self, email: str, secret: str, language: str, way_back: str | None = None) -> EmailMessage:
        """Return the letter with a link; it may be opened in another browser, so it knows where it leads on to."""
        _ = language_of(language).gettext
        query = {"token": secret, "lang": language, **({"next": way_back} if way_back else {})}
        link = f"{self.settings.public_url}/sign-in/link?{urlencode(query)}"
        lines = [
            _(
                "With this link you sign in to {site}. It works once, for a quarter of an hour:",
                site=self.settings.site_name,
            ),
            "",
            link,
            "",
            _("If you did not ask for it, do nothing: nobody can sign in without this letter."),
        ]
        return new_letter(self.settings, email, _("Sign in to {site}", site=self.settings.site_name), lines)

    async def use(self, secret: str) -> int:
        """Return the account that a link lets in, and spend the link; raise `SignInError` when it does not work any more."""
        async with self.database.connection() as connection:
            account_id = await use_sign_in_link(connection, secret)
        if account_id is None:
            raise SignInError(
                gettext_noop("this link has been used, or is older than a quarter of an hour: ask for another one")
            )
        return account_id

    async def stop(self) -> None:
        """Wait for letters that are under way."""
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=TIMEOUT_S)
