"""Links in mails: random, used once, for fifteen minutes; nobody learns from the answer whether an address is known."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlencode

from telstraat_api.errors import ApiError, SignInError, TooManyError
from telstraat_api.http.rates import Buckets
from telstraat_api.mail import TIMEOUT_S, send
from telstraat_api.settings import ApiSettings
from telstraat_contract.languages.catalogue import language as language_of
from telstraat_store.accounts.secrets import new_secret
from telstraat_store.accounts.sign_in_links import add_sign_in_link, use_sign_in_link
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
        wait = self.asks.take(asker)
        if wait:
            raise TooManyError(f"too many links were asked for; try again in {wait:.0f} s", max(1, round(wait)))
        task = asyncio.create_task(self.make_and_send(email, language))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def make_and_send(self, email: str, language: str) -> None:
        """Make a link for an account and mail it; what goes wrong is for the operator's log."""
        secret = new_secret("")
        try:
            async with self.database.connection() as connection:
                may_sign_in = await add_sign_in_link(connection, email, secret, life=LIFE, waiting_max=LINKS_AT_ONCE)
            if may_sign_in:
                await asyncio.to_thread(send, self.settings, self.letter(email.lower(), secret, language))
        except (OSError, smtplib.SMTPException, TelstraatStoreError, ApiError) as error:
            log.error("a sign-in link could not be sent: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter

    def letter(self, email: str, secret: str, language: str) -> EmailMessage:
        """Return the letter with a link."""
        _ = language_of(language).gettext
        link = f"{self.settings.public_url}/sign-in/link?{urlencode({'token': secret, 'lang': language})}"
        message = EmailMessage()
        message["From"] = self.settings.mail_from
        message["To"] = email
        message["Subject"] = _("Sign in to {site}", site=self.settings.site_name)
        message["Auto-Submitted"] = "auto-generated"
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
        message.set_content("\n".join(lines) + "\n")
        return message

    async def use(self, secret: str) -> int:
        """Return the account that a link lets in, and spend the link; raise `SignInError` when it does not work any more."""
        async with self.database.connection() as connection:
            account_id = await use_sign_in_link(connection, secret)
        if account_id is None:
            raise SignInError("this link has been used, or is older than a quarter of an hour: ask for another one")
        return account_id

    async def stop(self) -> None:
        """Wait for letters that are under way."""
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=TIMEOUT_S)
