"""P9: a sensor that its owner deletes leaves counts of a street, and nothing in the whole database that tells whose it was."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.api.conftest import served
from tests.api.my_people import add_person, browser_of, code_of, own
from tests.api.streets import add_reports, add_segment
from tests.harness.moments import yesterday

from telstraat_api.settings import ApiSettings
from telstraat_contract.claims import claim_hash
from telstraat_contract.messages import Config
from telstraat_store import places
from telstraat_store.accounts.secrets import hashed
from telstraat_store.devices.sent_settings import send_settings_by_name

NAME = "canary-house-12"
MAIL = "canary-neighbour@example.org"
OWNER = "canary-owner@example.org"
WORDS = "canary"


@pytest.fixture
def home(database: str) -> Iterator[str]:
    settings = ApiSettings(
        dsn=database, pool_max=4, keep_s=0, jobs_at_once=0, broker_host="127.0.0.1", broker_tls=False, quarter_min=0
    )
    with served(settings) as address:
        yield address


def everything(connection: psycopg.Connection) -> dict[str, str]:
    """Return every row of every table as text."""
    tables = connection.execute(
        "select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and relkind in ('r', 'p')"
    ).fetchall()
    rows = {name: connection.execute(f'select t::text from "{name}" t').fetchall() for (name,) in tables}
    return {name: "\n".join(text for (text,) in texts) for name, texts in rows.items()}


def tables_with(connection: psycopg.Connection, canaries: list[str]) -> set[tuple[str, str]]:
    rows = everything(connection)
    return {(table, word) for table, text in rows.items() for word in canaries if word in text}


def test_nothing_in_the_database_tells_whose_a_forgotten_sensor_was(home: str, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        segment = add_segment(connection)
        sensor = places.add_sensor(connection, NAME, segment, note="canary note: second floor").sensor_id
        add_reports(connection, [{"sensor_id": sensor, "period_start": yesterday(), "car_lft": 7}])
        account = add_person(connection, OWNER)
        own(connection, sensor, account, days=1)
        code = code_of(connection, sensor)
        answer = httpx.post(
            f"{home}/api/v1/device/enrol",
            json={"sensor": NAME, "code": code, "secret": "s" * 43, "to_b": "canary bakery", "to_a": "canary church"},
        )
        assert answer.status_code == 201
        send_settings_by_name(connection, NAME, Config(version=0, line=(0.1, 0.5, 0.9, 0.5)))
        connection.execute("update installation set side = 'left'")
        connection.execute(
            "insert into sensor_health (sensor_id, health, received_at) values (%s, %s, now())"
            " on conflict (sensor_id) do update set health = excluded.health",
            (sensor, Jsonb({"alarms": ["canary alarm"]})),
        )
        connection.execute(
            "insert into sign_in_link (hash, email, sensor_id, expires_at) values (%s, %s, %s, now() + interval '1 day')",
            (hashed("link"), MAIL, sensor),
        )
        connection.execute(
            "insert into quarantine (sensor_id, topic, reason, detail, payload, payload_bytes, payload_sha256)"
            " values (%s, %s, 'unreadable', 'canary detail', 'canary payload', 14, 'x')",
            (sensor, f"telstraat/v1/{NAME}/report"),
        )
        secret = connection.execute("select secret from sensor").fetchone()
        assert secret
        canaries = [WORDS, secret[0], claim_hash(NAME, code).hex(), hashed(answer.json()["api"]["token"]).hex()]
        before = {table for table, _ in tables_with(connection, canaries)}
        assert before >= {"sensor", "installation", "sensor_health", "sensor_claim", "sign_in_link", "quarantine"}
        with browser_of(home, OWNER) as anna:
            gone = anna.post(f"/my/sensors/{sensor}/delete", data={})
            assert gone.headers["location"] == "/my?did=deleted"
            assert {table for table, _ in tables_with(connection, canaries)} == {"account"}
            anna.post("/my/delete", data={"email": OWNER})
        assert tables_with(connection, canaries) == set()
        assert connection.execute("select sum(car_lft) from report").fetchone() == (7,)
        assert connection.execute("select count(*) from enrol_attempt").fetchone() == (0,)
        assert connection.execute("select count(*) from sensor_config").fetchone() == (0,)
    key = {"Authorization": f"Bearer {answer.json()['api']['token']}"}
    assert httpx.get(f"{home}/api/v1/device", headers=key).status_code == 401
