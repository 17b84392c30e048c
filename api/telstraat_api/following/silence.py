"""Letters to the owner of a sensor that is silent: after 1 day, 1, 2 and 4 weeks, and when it is back. It runs inside the API.

Any number of processes may go their rounds at once: what is due is one row in the database, and a letter is marked as handed over
before the mail server is spoken to. Should a process be killed in between, that letter is not sent again: its owner rather
misses one (the next step comes) than gets two.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import localtime
from urllib.parse import urlsplit

import psycopg

from telstraat_api.mail import one_line, send
from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import PageLanguage, page_language
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.errors import TelstraatStoreError
from telstraat_store.work import sensor_letters as stored

log = logging.getLogger("telstraat.api")
EVERY_S = 300.0
PERMANENT = 500
LETTERS_A_ROUND = 500


@dataclass
class SilenceRound:
    """What one round did."""

    is_deaf: bool = False
    due: int = 0
    sent: int = 0
    refused: int = 0
    put_back: int = 0


class SilenceWatch:
    """Goes its rounds beside the API for as long as that runs."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, where this site sends mail at all."""
        if self.settings.mail_host:
            self.task = asyncio.create_task(self._rounds(), name="silence")

    async def stop(self) -> None:
        """End; a letter that is under way may go."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            try:
                await go_silence_round(self.database, self.settings, datetime.now(UTC))
            except (psycopg.Error, TelstraatStoreError, OSError) as error:
                log.warning("letters about silent sensors wait: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)


async def go_silence_round(database: Database, settings: ApiSettings, now: datetime) -> SilenceRound:
    """Note what is due at a moment, and hand over what waits; while the server itself does not listen, nothing."""
    done = SilenceRound()
    async with database.connection() as connection:
        if not await stored.is_server_listening(connection, now):
            done.is_deaf = True
            return done
        done.due = await stored.write_due_letters(connection, now)
    for _ in range(LETTERS_A_ROUND):
        async with database.connection() as connection:
            taken = await stored.take_letter(connection, now)
        if taken is None or not await hand_over(database, settings, *taken, now, done):
            break
    return done


async def hand_over(
    database: Database, settings: ApiSettings, letter: Row, secret: str, now: datetime, done: SilenceRound
) -> bool:
    """Hand a letter to the mail server, once; False when the server takes none now."""
    number = letter["letter_id"]
    try:
        await asyncio.to_thread(send, settings, silence_letter(settings, letter, secret))
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        async with database.connection() as connection:
            if code >= PERMANENT:
                await stored.note_refused(connection, number, f"{code} {words.decode(errors='replace')}"[:500])
                done.refused += 1
            else:
                await stored.put_back(connection, number, now)
                done.put_back += 1
        return True
    except (smtplib.SMTPResponseException, ConnectionRefusedError, smtplib.SMTPNotSupportedError) as error:
        # The server has said that it takes nothing, or is not there: certainly not sent.
        log.error("the mail server does not take letters: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter
        async with database.connection() as connection:
            await stored.put_back(connection, number, now)
        done.put_back += 1
        return False
    except (OSError, smtplib.SMTPException) as error:
        log.error("nobody knows whether a letter went: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter
        return False
    async with database.connection() as connection:
        await stored.note_sent(connection, number, now)
    done.sent += 1
    return True


def silence_letter(settings: ApiSettings, letter: Row, secret: str) -> EmailMessage:
    """Return a letter as it goes out, in its reader's language."""
    code = letter["language"] if letter["language"] in LANGUAGES else SOURCE
    _ = page_language(code)
    quiet = f"{settings.public_url}/quiet?token={secret}&lang={code}"
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, letter["email"]
    message["Subject"] = one_line(subject_of(letter, _))
    message["Date"] = localtime(letter["made_at"])
    host = urlsplit(settings.public_url).hostname or "telstraat"
    message["Message-ID"] = f"<sensor-letter-{letter['letter_id']}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{quiet}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    page = f"{settings.public_url}/my/sensors/{letter['sensor_id']}"
    lines = [
        *words_of(letter, _),
        "",
        _("Its page, with four lights and what to try:"),
        page,
        "",
        _("You get this letter from {site} because the sensor is yours; nobody else gets it.", site=settings.site_name),
        _("No such letters for three months: {link}", link=quiet),
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def subject_of(letter: Row, _: PageLanguage) -> str:
    """Return what a letter is about."""
    name = letter["name"]
    if letter["step"] == stored.BACK:
        return _("Your sensor {name} is back", name=name)
    if letter["step"] == 1:
        return _("Your sensor {name} has been silent for a day", name=name)
    weeks = letter["step"] // 7
    return _.ngettext(
        "Your sensor {name} has been silent for {n} week",
        "Your sensor {name} has been silent for {n} weeks",
        weeks,
        name=name,
    )


def words_of(letter: Row, _: PageLanguage) -> list[str]:
    """Return what a letter says."""
    tz = zone(letter["timezone"])
    where = {"name": letter["name"], "street": letter["street"]}
    since = _.moment(letter["silent_from"], tz)
    if letter["step"] == stored.BACK:
        again = _.moment(letter["last_at"], tz)
        return [
            _("Your sensor {name} in {street} sends counts again; the last came on {again}.", **where, again=again),
            _("Until then nothing had come since {since}. What it counted in between it sends by itself, as far as it kept it.", since=since),
        ]  # fmt: skip
    lines = [
        _("No counts of your sensor {name} in {street} have arrived since {since}.", **where, since=since),
        _("Often it helps to look whether its lamp is on, to restart the router, or to unplug the sensor and plug it in again."),
        _("It keeps what it counts for 30 days and sends it when it is connected again."),
    ]  # fmt: skip
    if letter["step"] == stored.STEPS_DAYS[-1]:
        lines.append(_("This is the last letter about this silence. What is older than 30 days may be lost by now."))
    return lines
