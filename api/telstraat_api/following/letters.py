"""Letters to those who follow a measure: written once, kept until the mail server has taken them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from telstraat_analytics.words import word
from telstraat_api.following.handing import hand_over_once
from telstraat_api.mail import kept_letter
from telstraat_api.settings import ApiSettings
from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Database, Row
from telstraat_store.work import followers as stored


def letter_rows(
    settings: ApiSettings,
    measure: Mapping[str, Any],
    what: str,
    weeks: int,
    sentences: Mapping[str, Sequence[str]],
    people: Sequence[tuple[int, str]],
) -> Iterator[dict[str, Any]]:
    """Yield one letter for each follower, in their language, with a link of their own to stop."""
    for account, language in people:
        secret = new_secret("")
        link = f"{settings.public_url}/following/stop?token={secret}&lang={language}"
        lines = [
            *sentences[language],
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
    letters: list[Row] = []
    if settings.mail_host:
        async with database.connection() as connection:
            letters = await stored.letters_due(connection)
    for letter in letters:
        if not await send_letter(database, settings, letter, done):
            break
    async with database.connection() as connection:
        done.waiting = await stored.count_waiting_letters(connection)


async def send_letter(database: Database, settings: ApiSettings, letter: Row, done: Any) -> bool:
    """Send one letter and mark what became of it; False when the mail server does not take letters now."""
    number = letter["letter_id"]
    handed = await hand_over_once(settings, message_of(settings, letter))
    async with database.connection() as connection:
        if handed.how == "sent":
            await stored.mark_sent(connection, number)
            done.sent += 1
        elif handed.how == "refused":
            await stored.mark_refused(connection, number, handed.reason)
            done.refused.append(f"letter {number}: the mail server refuses its address for good")
        else:
            await stored.try_later(connection, number)
    return not handed.is_away


def message_of(settings: ApiSettings, letter: Row) -> EmailMessage:
    """Return a letter as it goes out, with the same name at every try."""
    name = f"measure-letter-{letter['letter_id']}"
    return kept_letter(
        settings, name, letter, letter["subject"], [letter["body"].removesuffix("\n")], letter["stop_link"]
    )
