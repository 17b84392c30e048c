"""Letters with a street's month, once it is whole: to whoever has asked for them by mail and confirmed. One kind of `rounds`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from telstraat_api.following.handing import hand_over_once
from telstraat_api.mail import kept_letter, new_letter
from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import page_language
from telstraat_api.web.street.month_page import read_month
from telstraat_api.web.street.month_report import caveats, fact_rows, month_name, month_sentence
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import find_segment
from telstraat_store.work import month_letters as stored

EVERY_S = 600.0
LETTERS_A_ROUND = 200


@dataclass
class MonthRound:
    """What one round did."""

    due: int = 0
    sent: int = 0
    refused: int = 0
    put_back: int = 0


async def go_month_round(database: Database, settings: ApiSettings, now: datetime) -> MonthRound:
    """Note what is due at a moment, and hand over what waits."""
    done = MonthRound()
    async with database.connection() as connection:
        done.due = await stored.write_month_letters(connection, now)
    for _ in range(LETTERS_A_ROUND):
        async with database.connection() as connection:
            taken = await stored.take_month_letter(connection, now)
        if taken is None:
            break
        letter, secret = taken
        handed = await hand_over_once(settings, await month_letter(database, settings, letter, secret))
        async with database.connection() as connection:
            if handed.how == "sent":
                await stored.note_month_sent(connection, letter, now)
                done.sent += 1
            elif handed.how == "refused":
                await stored.note_month_refused(connection, letter, handed.reason)
                done.refused += 1
            elif handed.how == "not sent":
                await stored.put_month_back(connection, letter, now)
                done.put_back += 1
        if handed.is_away:
            break
    return done


async def month_letter(database: Database, settings: ApiSettings, letter: Row, secret: str) -> EmailMessage:
    """Return a letter as it goes out, in its reader's language: what everybody may read of the month, its doubts included."""
    code = letter["language"] if letter["language"] in LANGUAGES else SOURCE
    _ = page_language(code)
    async with database.connection() as connection:
        segment = await find_segment(connection, letter["segment_id"])
    assert segment is not None, "the reader goes with the street"
    month = letter["month"].strftime("%Y-%m")
    report = await read_month(settings, database.public, segment, month)
    name = month_name(report.counts, _)
    page = f"{settings.public_url}/street/{segment.segment_id}/month/{month}"
    stop = f"{settings.public_url}/months/stop?token={secret}&lang={code}"
    lines = [
        month_sentence(report, _),
        "",
        *(f"{what}: {value}" for what, value in fact_rows(report, _)),
        "",
        *caveats(report, _),
        "",
        _("The whole month, with its charts: {link}", link=f"{page}?lang={code}"),
        f"PDF: {page}/report.pdf?lang={code}",
        "",
        _("You get this letter from {site} once a month because you asked for it.", site=settings.site_name),
        _("No more letters about this street: {link}", link=stop),
    ]
    subject = _("{street} in {month}", street=segment.name, month=name)
    return kept_letter(settings, f"month-letter-{letter['reader_id']}-{month}", letter, subject, lines, stop)


def asking_letter(settings: ApiSettings, email: str, street: str, secret: str, code: str) -> EmailMessage:
    """Return the letter that asks whether somebody wants the months of a street: nobody is written to for another's joke."""
    _ = page_language(code)
    lines = [
        _("Somebody, probably you, asked {site} for a letter a month about {street}.", site=settings.site_name, street=street),
        _("With this link you say yes, within a week:"),
        f"{settings.public_url}/months/confirm?token={secret}&lang={code}",
        "",
        _("If you did not ask for it, do nothing: no letters come, and your address is forgotten."),
    ]  # fmt: skip
    return new_letter(settings, email, _("A letter a month about {street}?", street=street), lines)
