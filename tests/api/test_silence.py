"""Letters about silent sensors: to the owner alone, once a step, never for an absence that was planned or was the server's own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from aiosmtpd.controller import Controller
from tests.api.conftest import served
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.api.my_people import add_person, own

from telstraat_api.following.silence import SilenceRound, go_silence_round
from telstraat_api.settings import ApiSettings, database_of

ANNA = "anna@example.org"
DAY = timedelta(days=1)
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # of the silence


@pytest.fixture
def letters_and_settings(database: str) -> Iterator[tuple[Letters, ApiSettings]]:
    with mail_server() as (mail_port, letters):
        yield (
            letters,
            ApiSettings(
                dsn=database, pool_max=4, keep_s=0, public_url=f"http://127.0.0.1:{free_port()}", mail_host="127.0.0.1",
                mail_port=mail_port, mail_tls="none", mail_from="counts@example.org",
            ),
        )  # fmt: skip


@pytest.fixture
def letters(letters_and_settings: tuple[Letters, ApiSettings]) -> Letters:
    return letters_and_settings[0]


@pytest.fixture
def mailing(letters_and_settings: tuple[Letters, ApiSettings]) -> ApiSettings:
    return letters_and_settings[1]


@pytest.fixture
def silent(connection: psycopg.Connection, sensor: int) -> int:
    """Anna's sensor, whose last report came when the silence began."""
    own(connection, sensor, add_person(connection, ANNA, language="nl"))
    connection.execute("update sensor set owned_since = %s", (BEGAN - 90 * DAY,))
    connection.execute(
        "insert into stream (sensor_id, epoch_no, epoch, seen, last_at) values (%s, 1, 7, 1, %s)", (sensor, BEGAN)
    )
    return sensor


def listen(connection: psycopg.Connection, until: datetime) -> None:
    """Let the server have listened to sensors without a break until a time."""
    connection.execute("delete from server_presence")
    connection.execute("insert into server_presence (since_at, last_at) values (%s, %s)", (BEGAN - 90 * DAY, until))


def look(settings: ApiSettings, connection: psycopg.Connection, at: datetime, *, listens: bool = True) -> SilenceRound:
    """Go one round at a moment."""
    if listens:
        listen(connection, at)

    async def once() -> SilenceRound:
        database = database_of(settings)
        await database.open()
        try:
            return await go_silence_round(database, settings, at)
        finally:
            await database.close()

    return asyncio.run(once())


def test_a_letter_comes_after_a_day_one_two_and_four_weeks_and_when_it_is_back(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    for days in (0.5, 0.99, 1.01, 1.5, 6.9, 7.1, 10, 14.1, 20, 28.1, 40, 100):
        look(mailing, connection, BEGAN + days * DAY)
    subjects = [letter["subject"] for letter in letters.came]
    assert subjects == [
        "Je sensor linden-12 is al een dag stil",
        "Je sensor linden-12 is al 1 week stil",
        "Je sensor linden-12 is al 2 weken stil",
        "Je sensor linden-12 is al 4 weken stil",
    ]
    assert {letter["to"] for letter in letters.came} == {ANNA}
    assert "Lindenstraat" in letters.came[0].get_content()
    assert f"/my/sensors/{silent}" in letters.came[0].get_content()
    connection.execute("update stream set last_at = %s", (BEGAN + 101 * DAY,))
    look(mailing, connection, BEGAN + 101.1 * DAY)
    look(mailing, connection, BEGAN + 101.2 * DAY)
    assert [letter["subject"] for letter in letters.came[4:]] == ["Je sensor linden-12 is terug"]
    look(mailing, connection, BEGAN + 102.1 * DAY)  # silent anew: another silence, its own steps
    assert len(letters.came) == 6


def test_whoever_comes_late_gets_one_letter_and_not_three(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    look(mailing, connection, BEGAN + 15 * DAY)
    assert [letter["subject"] for letter in letters.came] == ["Je sensor linden-12 is al 2 weken stil"]


def test_a_short_silence_is_no_silence_and_needs_no_letter_that_it_is_over(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    look(mailing, connection, BEGAN + 0.9 * DAY)
    connection.execute("update stream set last_at = %s", (BEGAN + 0.95 * DAY,))
    look(mailing, connection, BEGAN + 1 * DAY)
    assert letters.came == []


@pytest.mark.parametrize(
    "plan",
    [
        "update sensor set muted_until = '2027-01-01'",
        "update sensor set retired_at = now()",
        "update installation set until_at = now()",
        "update installation set from_at = '2027-01-01'",
        "update sensor set account_id = null",
        "update account set disabled_at = now()",
    ],
)
def test_a_planned_absence_needs_no_letter(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int, plan: str
) -> None:
    connection.execute(plan)
    look(mailing, connection, BEGAN + 8 * DAY)
    assert letters.came == []


def test_the_server_s_own_silence_is_no_sensor_s(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    listen(connection, BEGAN + timedelta(hours=2))
    done = look(mailing, connection, BEGAN + 3 * DAY, listens=False)  # nobody listens: nothing is said
    assert done.is_deaf
    connection.execute("select note_presence(%s)", (BEGAN + 3 * DAY,))  # back after almost three days
    row = connection.execute("select from_at, until_at from server_absence").fetchone()
    assert row == (BEGAN + timedelta(hours=2), BEGAN + 3 * DAY)
    look(mailing, connection, BEGAN + 3 * DAY)
    assert letters.came == []
    look(mailing, connection, BEGAN + 3 * DAY + timedelta(hours=21))
    assert letters.came == []
    look(mailing, connection, BEGAN + 3 * DAY + timedelta(hours=23))
    assert len(letters.came) == 1


def test_short_breaks_of_the_server_are_none(connection: psycopg.Connection) -> None:
    for minute in (0, 1, 9, 18, 18, 5):
        connection.execute("select note_presence(%s)", (BEGAN + timedelta(minutes=minute),))
    assert connection.execute("select count(*) from server_absence").fetchone() == (0,)
    assert connection.execute("select last_at from server_presence").fetchone() == (BEGAN + timedelta(minutes=18),)


def test_several_processes_at_once_send_each_letter_once(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    for number in range(8):
        row = connection.execute(
            "insert into sensor (name, account_id, owned_since) values (%s, 1, %s) returning sensor_id",
            (f"more-{number}", BEGAN - DAY),
        ).fetchone()
        assert row
        connection.execute(
            "insert into installation (sensor_id, segment_id, from_at) select %s, segment_id, %s from segment",
            (row[0], BEGAN),
        )
    at = BEGAN + 1.5 * DAY
    listen(connection, at)
    threads = [
        threading.Thread(target=look, args=(mailing, connection, at), kwargs={"listens": False}) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(letter["subject"] for letter in letters.came) == sorted(
        f"Je sensor {name} is al een dag stil" for name in ("linden-12", *(f"more-{n}" for n in range(8)))
    )


def test_a_letter_that_may_have_gone_is_never_sent_again(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    """A process was killed between the mark and the mail server's word: the row is all that is left of it."""
    connection.execute(
        "insert into sensor_letter (sensor_id, account_id, silent_from, step, made_at, next_try_at, handed_at, tries)"
        " values (%s, 1, %s, 1, %s, %s, %s, 1)",
        (silent, BEGAN, BEGAN + DAY, BEGAN + DAY, BEGAN + DAY),
    )
    look(mailing, connection, BEGAN + 2 * DAY)
    assert letters.came == []
    look(mailing, connection, BEGAN + 7.5 * DAY)
    assert [letter["subject"] for letter in letters.came] == ["Je sensor linden-12 is al 1 week stil"]


def test_a_mail_server_that_is_away_gets_the_letter_later(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    away = ApiSettings(
        **{**{name: getattr(mailing, name) for name in mailing.__struct_fields__}, "mail_port": free_port()}
    )
    done = look(away, connection, BEGAN + 1.1 * DAY)
    assert (done.put_back, done.sent) == (1, 0)
    look(mailing, connection, BEGAN + 1.1 * DAY + timedelta(minutes=1))
    assert letters.came == []  # not yet its time
    look(mailing, connection, BEGAN + 1.1 * DAY + timedelta(minutes=16))
    assert len(letters.came) == 1


def test_a_letter_that_waited_too_long_is_not_sent_when_the_sensor_is_back(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    away = ApiSettings(
        **{**{name: getattr(mailing, name) for name in mailing.__struct_fields__}, "mail_port": free_port()}
    )
    look(away, connection, BEGAN + 1.1 * DAY)
    connection.execute("update stream set last_at = %s", (BEGAN + 1.2 * DAY,))
    look(mailing, connection, BEGAN + 1.3 * DAY)
    assert letters.came == []


def test_one_click_in_a_letter_mutes_it_without_signing_in(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    look(mailing, connection, BEGAN + 1.1 * DAY)
    letter = letters.wait(1)
    assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    match = re.search(r"<(\S+)>", letter["list-unsubscribe"])
    assert match
    path = match[1].removeprefix(mailing.public_url)
    with served(mailing) as address, httpx.Client(base_url=address, timeout=60) as program:
        assert "linden-12" in program.get(path).text
        assert connection.execute("select muted_until from sensor").fetchone() == (None,)  # looking changes nothing
        assert program.post(path, content="List-Unsubscribe=One-Click").status_code == 200
        row = connection.execute("select muted_until - now() from sensor").fetchone()
        assert row
        assert timedelta(days=90) < row[0] < timedelta(days=92)
        assert program.post(path, content="List-Unsubscribe=One-Click").status_code == 200
        assert program.post("/quiet?token=" + "x" * 43).status_code == 404
        connection.execute("update sensor set account_id = null")
        assert program.post(path, content="until=2027-01-01").status_code == 404
    assert connection.execute("select muted_until from sensor").fetchone() == (None,)


def test_after_a_mute_a_silence_counts_anew(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    connection.execute("update sensor set muted_until = %s", (BEGAN + 10 * DAY,))
    look(mailing, connection, BEGAN + 10.5 * DAY)
    assert letters.came == []
    look(mailing, connection, BEGAN + 11.1 * DAY)
    assert [letter["subject"] for letter in letters.came] == ["Je sensor linden-12 is al een dag stil"]


def test_the_api_writes_letters_by_itself(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    listen(connection, datetime.now(UTC))
    with served(mailing):
        letter = letters.wait(1)
    assert letter["to"] == ANNA


class Reluctant(Letters):
    """A mail server that takes a letter and is slow to say so."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.came.append(self.prepare_message(session, envelope))
        self.reached.set()
        await asyncio.sleep(2)
        return "250 taken"


def test_a_process_killed_while_the_mail_server_takes_a_letter_sends_none_twice(
    mailing: ApiSettings, letters: Letters, connection: psycopg.Connection, silent: int
) -> None:
    at = BEGAN + 1.1 * DAY
    listen(connection, at)
    reluctant = Reluctant()
    controller = Controller(reluctant, hostname="127.0.0.1", port=free_port())
    controller.start()
    round_of = (
        "import asyncio, sys; from datetime import datetime; from telstraat_api.settings import ApiSettings, database_of;"
        "from telstraat_api.following.silence import go_silence_round\n"
        "async def go():\n"
        " s = ApiSettings(dsn=sys.argv[1], public_url='http://127.0.0.1', mail_host='127.0.0.1', mail_port=int(sys.argv[2]),"
        " mail_tls='none', mail_from='counts@example.org')\n"
        " d = database_of(s); await d.open(); await go_silence_round(d, s, datetime.fromisoformat(sys.argv[3]))\n"
        "asyncio.run(go())"
    )
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", round_of, mailing.dsn, str(controller.port), at.isoformat()],
            stderr=subprocess.DEVNULL,
        )
        assert reluctant.reached.wait(60)
        process.kill()
        process.wait()
    finally:
        controller.stop()
    assert len(reluctant.came) == 1
    look(mailing, connection, at + timedelta(hours=3))
    assert letters.came == []
