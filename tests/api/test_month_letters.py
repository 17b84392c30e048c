"""A letter a month about a street: confirmed by mail, written once when the month is whole, never twice, stopped with one click."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.mail_and_identities import Letters, mail_server
from tests.api.streets import add_segment

from telstraat_api.following.months import MonthRound, go_month_round
from telstraat_api.settings import ApiSettings, database_of
from telstraat_store.work.month_letters import take_month_letter, write_month_letters

IN_MAY = datetime(2026, 5, 20, 12, tzinfo=UTC)
IN_JUNE = datetime(2026, 6, 3, 12, tzinfo=UTC)
WHO = "reader@example.org"


@pytest.fixture(scope="module")
def site(module_database: str) -> Iterator[tuple[httpx.Client, Letters, ApiSettings]]:
    with mail_server() as (port, letters):
        settings = ApiSettings(
            dsn=module_database, pool_max=4, mail_host="127.0.0.1", mail_port=port, mail_tls="none", mail_from="a@b.example",
            public_url="https://counts.example", jobs_at_once=0,
        )  # fmt: skip
        with served(settings) as address, httpx.Client(base_url=address, headers={"accept": "text/html", "origin": address}, timeout=60) as client:  # fmt: skip
            yield client, letters, settings


@pytest.fixture
def street(module_connection: psycopg.Connection, site: tuple[httpx.Client, Letters, ApiSettings]) -> int:
    module_connection.execute("truncate month_reader cascade")
    site[1].came.clear()
    return add_segment(module_connection, "Kerkstraat")


def confirmed(connection: psycopg.Connection, street: int, at: datetime = IN_MAY) -> None:
    connection.execute(
        "insert into month_reader (segment_id, email, language, asked_at, confirmed_at) values (%s, %s, 'nl', %s, %s)",
        (street, WHO, at, at),
    )


def go(settings: ApiSettings, now: datetime) -> MonthRound:
    async def one_round() -> MonthRound:
        database = database_of(settings)
        await database.open()
        try:
            return await go_month_round(database, settings, now)
        finally:
            await database.close()

    return asyncio.run(one_round())


def test_a_reader_asks_confirms_gets_one_letter_a_month_and_stops_with_one_click(
    site: tuple[httpx.Client, Letters, ApiSettings], module_connection: psycopg.Connection, street: int
) -> None:
    client, letters, settings = site
    assert "letters" in client.get(f"/street/{street}").text
    answer = client.post(f"/street/{street}/letters", params={"lang": "de"}, data={"email": "Reader@Example.org"})
    assert answer.status_code == 200
    question = letters.wait(1)
    link = httpx.URL(re.findall(r"https://\S+", question.get_content())[0]).raw_path.decode()
    assert client.get(link).status_code == 200
    assert module_connection.execute("select confirmed_at from month_reader").fetchall() == [(None,)]
    assert client.post(link).status_code == 200
    module_connection.execute("update month_reader set confirmed_at = %s", (IN_MAY,))
    assert go(settings, IN_MAY + timedelta(days=11, hours=23)) == MonthRound()  # May 31 is over; late reports may come
    assert go(settings, IN_JUNE) == MonthRound(due=1, sent=1)
    assert go(settings, IN_JUNE) == MonthRound()
    letter = letters.wait(2)
    text = letter.get_content()
    assert letter["To"] == WHO
    assert letter["Subject"] == "Kerkstraat im Mai 2026"
    assert f"https://counts.example/street/{street}/month/2026-05/report.pdf?lang=de" in text
    assert "Wetter, Ferien" in text  # its doubts: what is in a change beside the street
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = httpx.URL(letter["List-Unsubscribe"].strip("<>")).raw_path.decode()
    assert client.get(stop).status_code == 200
    assert (
        httpx.post(str(client.base_url) + stop, data={"List-Unsubscribe": "One-Click"}, timeout=60).status_code == 200
    )
    assert module_connection.execute("select count(*) from month_reader").fetchone() == (0,)
    assert client.post(stop).status_code == 404
    assert go(settings, IN_JUNE + timedelta(days=31)) == MonthRound()


def test_asking_twice_writes_once_and_nobody_learns_who_reads_already(
    site: tuple[httpx.Client, Letters, ApiSettings], module_connection: psycopg.Connection, street: int
) -> None:
    client, letters, _ = site
    confirmed(module_connection, street)
    known = client.post(f"/street/{street}/letters", data={"email": WHO})
    new = [client.post(f"/street/{street}/letters", data={"email": "other@example.org"}) for _ in range(2)]
    assert {known.text} == {answer.text for answer in new}
    assert letters.wait(1)["To"] == "other@example.org"
    assert client.post(f"/street/{street}/letters", data={"email": "nobody"}).status_code == 422
    assert client.post("/months/confirm", params={"token": "x" * 40}).status_code == 404
    assert len(letters.came) == 1


def test_of_several_missed_months_only_the_last_is_sent_and_none_from_before(
    site: tuple[httpx.Client, Letters, ApiSettings], module_connection: psycopg.Connection, street: int
) -> None:
    confirmed(module_connection, street)
    assert go(site[2], IN_JUNE + timedelta(days=92)).sent == 1
    assert site[1].came[0]["Subject"] == "Kerkstraat in augustus 2026"
    module_connection.execute("truncate month_reader cascade")
    confirmed(module_connection, street, IN_JUNE)
    assert go(site[2], IN_JUNE) == MonthRound()


def test_a_letter_that_was_taken_by_a_process_that_was_killed_is_never_sent_twice(
    site: tuple[httpx.Client, Letters, ApiSettings], module_connection: psycopg.Connection, street: int
) -> None:
    confirmed(module_connection, street)
    script = (
        "import asyncio, os, sys, signal\n"
        "from datetime import datetime\n"
        "from psycopg import AsyncConnection\n"
        "from psycopg.rows import dict_row\n"
        "from telstraat_store.work.month_letters import take_month_letter, write_month_letters\n"
        "async def go():\n"
        "    async with await AsyncConnection.connect(sys.argv[1], autocommit=True, row_factory=dict_row) as connection:\n"
        "        now = datetime.fromisoformat(sys.argv[2])\n"
        "        assert await write_month_letters(connection, now) == 1\n"
        "        assert await take_month_letter(connection, now)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(go())\n"
    )
    assert take_month_letter.__module__ == write_month_letters.__module__
    killed = subprocess.run([sys.executable, "-c", script, site[2].dsn, IN_JUNE.isoformat()], check=False)
    assert killed.returncode == -9
    assert go(site[2], IN_JUNE + timedelta(hours=1)) == MonthRound()
    assert not site[1].came


def test_a_mail_server_that_is_away_gets_the_letter_later(
    site: tuple[httpx.Client, Letters, ApiSettings], module_connection: psycopg.Connection, street: int
) -> None:
    confirmed(module_connection, street)
    away = ApiSettings(dsn=site[2].dsn, mail_host="127.0.0.1", mail_port=1, mail_tls="none", mail_from="a@b.example")
    assert go(away, IN_JUNE) == MonthRound(due=1, put_back=1)
    assert go(site[2], IN_JUNE + timedelta(minutes=14)) == MonthRound()
    assert go(site[2], IN_JUNE + timedelta(minutes=16)) == MonthRound(sent=1)
