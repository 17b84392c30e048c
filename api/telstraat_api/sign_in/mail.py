"""Links in mails: random, used once, for fifteen minutes; nobody learns from the answer whether an address is known."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlencode

from telstraat_api.errors import ApiError, SignInError, TooManyError
from telstraat_api.http.access import hashed, new_secret
from telstraat_api.http.rates import Buckets
from telstraat_api.mail import TIMEOUT_S, send
from telstraat_api.settings import ApiSettings
from telstraat_contract.languages.catalogue import language as language_of
from telstraat_store.connection import Database
from telstraat_store.errors import TelstraatStoreError

log = logging.getLogger("telstraat.api")
LIFE = timedelta(minutes=15)
LINKS_AT_ONCE = 3
"""Links that an address may have waiting: more are not sent."""

ASKS_AT_ONCE = 10

FIND = """
insert into sign_in_link (hash, account_id, expires_at)
select %(hash)s, account_id, now() + %(life)s from account a
where email = %(email)s and disabled_at is null
    and (select count(*) from sign_in_link l where l.account_id = a.account_id and l.created_at > now() - %(life)s) < %(most)s
returning account_id
"""
USE = """
update sign_in_link l set used_at = now() from account a
where l.hash = %s and l.used_at is null and l.expires_at > now() and a.account_id = l.account_id and a.disabled_at is null
returning l.account_id
"""


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
            await self.database.execute("delete from sign_in_link where expires_at < now() - interval '1 day'")
            known = await self.database.row(
                FIND, {"hash": hashed(secret), "life": LIFE, "email": email.lower(), "most": LINKS_AT_ONCE}
            )
            if known is not None:
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
        row = await self.database.row(USE, (hashed(secret),))
        if row is None:
            raise SignInError("this link has been used, or is older than a quarter of an hour: ask for another one")
        return int(row["account_id"])

    async def stop(self) -> None:
        """Wait for letters that are under way."""
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=TIMEOUT_S)
