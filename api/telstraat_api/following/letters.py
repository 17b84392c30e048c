"""Letters to those who follow a measure: written once, kept until the mail server has taken them."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from email.utils import localtime
from typing import Any
from urllib.parse import urlsplit

from telstraat_analytics.words import word
from telstraat_api.http.access import hashed, new_secret
from telstraat_api.mail import send
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Database, Row

log = logging.getLogger("telstraat.api")
PERMANENT = 500
"""SMTP's answers from here on mean: do not try again."""

WAITING = """
select l.*, a.email from measure_letter l join account a using (account_id)
where l.sent_at is null and l.refused is null and l.next_try_at <= now() and a.disabled_at is null
order by l.letter_id
"""
SENT = "update measure_letter set sent_at = now(), body = '', stop_link = '' where letter_id = %s"
REFUSED = "update measure_letter set refused = %s, body = '', stop_link = '' where letter_id = %s"
LATER = """
update measure_letter set tries = tries + 1, next_try_at = now() + least(interval '1 day', interval '15 minutes' * 2 ^ tries)
where letter_id = %s
"""
LEFT = "select count(*) as waiting from measure_letter where sent_at is null and refused is null"


def letter_rows(
    settings: ApiSettings,
    measure: Mapping[str, Any],
    what: str,
    weeks: int,
    told: Mapping[str, Sequence[str]],
    people: Sequence[tuple[int, str]],
) -> Iterator[dict[str, Any]]:
    """Yield one letter for each follower, in their language, with a link of their own to stop."""
    for account, language in people:
        secret = new_secret("")
        link = f"{settings.public_url}/following/stop?token={secret}&lang={language}"
        lines = [
            *told[language],
            "",
            word("follow.looks", language),
            f"{settings.public_url}{measure['links']['self']}/following",
            "",
            word("follow.why", language, site=settings.site_name),
            word("follow.stop", language, link=link),
        ]
        yield {
            "measure_id": measure["measure_id"],
            "account_id": account,
            "what": what,
            "weeks": weeks,
            "subject": word("follow.subject", language, name=measure["name"], weeks=weeks),
            "body": "\n".join(lines) + "\n",
            "stop_hash": hashed(secret),
            "stop_link": link,
        }


async def send_waiting(database: Database, settings: ApiSettings, done: Any) -> None:
    """Send the letters whose time has come, each marked at once; what the server does not take waits, longer each time."""
    for letter in await database.rows(WAITING) if settings.mail_host else []:
        try:
            await asyncio.to_thread(send, settings, message_of(settings, letter))
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            if code >= PERMANENT:
                await database.execute(REFUSED, (f"{code} {said.decode(errors='replace')}", letter["letter_id"]))
                done.refused.append(f"letter {letter['letter_id']}: the mail server refuses its address for good")
            else:
                await database.execute(LATER, (letter["letter_id"],))
        except (OSError, smtplib.SMTPException) as error:
            log.error("the mail server does not take letters: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter
            await database.execute(LATER, (letter["letter_id"],))
            break
        else:
            await database.execute(SENT, (letter["letter_id"],))
            done.sent += 1
    left = await database.row(LEFT)
    done.waiting = int(left["waiting"]) if left else 0


def message_of(settings: ApiSettings, letter: Row) -> EmailMessage:
    """Return a letter as it goes out.

    Its name stays the same at every try: should this machine stop between the mail server's word and the mark, the letter goes
    out again, and mail programs know it for the same.
    """
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = letter["email"]
    message["Subject"] = letter["subject"]
    message["Date"] = localtime(letter["made_at"])
    host = urlsplit(settings.public_url).hostname or "telstraat"
    message["Message-ID"] = f"<measure-letter-{letter['letter_id']}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{letter['stop_link']}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter["body"])
    return message
