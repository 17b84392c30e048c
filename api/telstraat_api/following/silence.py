"""Letters to the owner of a sensor that is silent: after 1 day, 1, 2 and 4 weeks, and when it is back. One kind of `rounds`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from telstraat_api.following.handing import hand_over_once
from telstraat_api.mail import kept_letter
from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import PageLanguage, page_language
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.work import sensor_letters as stored

EVERY_S = 300.0
LETTERS_A_ROUND = 500


@dataclass
class SilenceRound:
    """What one round did."""

    is_deaf: bool = False
    due: int = 0
    sent: int = 0
    refused: int = 0
    put_back: int = 0


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
        if taken is None:
            break
        letter, secret = taken
        number = letter["letter_id"]
        handed = await hand_over_once(settings, silence_letter(settings, letter, secret))
        async with database.connection() as connection:
            if handed.how == "sent":
                await stored.note_sent(connection, number, now)
                done.sent += 1
            elif handed.how == "refused":
                await stored.note_refused(connection, number, handed.reason)
                done.refused += 1
            elif handed.how == "not sent":
                await stored.put_back(connection, number, now)
                done.put_back += 1
        if handed.is_away:
            break
    return done


def silence_letter(settings: ApiSettings, letter: Row, secret: str) -> EmailMessage:
    """Return a letter as it goes out, in its reader's language."""
    code = letter["language"] if letter["language"] in LANGUAGES else SOURCE
    _ = page_language(code)
    quiet = f"{settings.public_url}/quiet?token={secret}&lang={code}"
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
    return kept_letter(settings, f"sensor-letter-{letter['letter_id']}", letter, subject_of(letter, _), lines, quiet)


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
