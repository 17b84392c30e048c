"""A device gets its own password and token for its code: once, safely again, and without telling strangers anything."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.my_people import add_person, code_of
from tests.api.streets import add_segment

from telstraat_api.settings import ApiSettings, check
from telstraat_contract.errors import SettingsError
from telstraat_store.places.claims import issue_code
from telstraat_store.places.passwords import check_password
from telstraat_store.places.sensors import renew_password, retire_sensor

HERE = "127.0.0.1"


@pytest.fixture
def settings(database: str) -> ApiSettings:
    return ApiSettings(
        dsn=database, pool_max=8, keep_s=0, jobs_at_once=0, broker_host=HERE, broker_tls=False, broker_port=2883
    )


@pytest.fixture
def code(connection: psycopg.Connection, sensor: int) -> str:
    return code_of(connection, sensor)


def enrol(client: httpx.Client, code: str, **more: object) -> httpx.Response:
    return client.post("/api/v1/device/enrol", json={"sensor": "linden-12", "code": code, **more})


def secret() -> str:
    return secrets.token_urlsafe(32)


def stored(connection: psycopg.Connection) -> str:
    row = connection.execute("select secret from sensor where name = 'linden-12'").fetchone()
    assert row
    return row[0] or ""


def test_a_code_is_exchanged_for_a_password_a_token_and_the_way_to_the_broker(
    client: httpx.Client, connection: psycopg.Connection, segment: int, code: str
) -> None:
    answer = enrol(client, code.lower().replace("-", " "), secret=secret(), to_b="Centre", to_a="Station")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    body = answer.json()
    assert check_password(body["password"], stored(connection))
    assert body["broker"] == {"host": HERE, "port": 2883, "tls": False, "ca": None}
    assert body["segment"]["id"] == segment
    standing = connection.execute("select to_b, to_a, names_published from installation").fetchall()
    assert standing == [("Centre", "Station", False)]
    me = client.get("/api/v1/device", headers={"Authorization": f"Bearer {body['api']['token']}"})
    assert (me.json()["sensor"], me.json()["segment"]["id"]) == ("linden-12", segment)
    assert client.get("/api/v1/device").status_code == 401
    key = {"Authorization": f"Bearer {body['api']['token']}"}
    assert client.get("/api/v1/me", headers=key).status_code == 401  # a device is nobody elsewhere


def test_an_answer_that_was_lost_is_given_again_to_the_same_device_and_to_no_other(
    client: httpx.Client, connection: psycopg.Connection, code: str
) -> None:
    mine = secret()
    first = enrol(client, code, secret=mine).json()
    assert enrol(client, code, secret=mine).json() == first
    assert enrol(client, code, secret=secret()).status_code == 409
    assert check_password(first["password"], stored(connection))
    connection.execute("update sensor_claim set enrolled_at = now() - interval '61 minutes'")
    assert enrol(client, code, secret=mine).status_code == 409
    assert check_password(first["password"], stored(connection))


def test_devices_that_ask_at_once_get_one_answer(client: httpx.Client, code: str) -> None:
    mine = secret()
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: enrol(client, code, secret=mine), range(5)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        others = list(threads.map(lambda _: enrol(client, code, secret=secret()), range(5)))
    assert {answer.status_code for answer in others} == {409}


def test_two_strangers_with_one_code_never_both_get_in(client: httpx.Client, code: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: enrol(client, code, secret=secret()).status_code, range(6)))
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]


def test_a_password_that_was_renewed_meanwhile_is_not_undone_by_asking_again(
    client: httpx.Client, connection: psycopg.Connection, code: str
) -> None:
    mine = secret()
    assert enrol(client, code, secret=mine).status_code == 201
    renewed = renew_password(connection, "linden-12")
    assert enrol(client, code, secret=mine).status_code == 409
    assert check_password(renewed, stored(connection))


def test_wrong_ended_and_retired_codes_and_unknown_names_get_the_same_words(
    client: httpx.Client, connection: psycopg.Connection, sensor: int, code: str
) -> None:
    words = {enrol(client, "0000-0000-0000", secret=secret()).text}
    unknown = {"sensor": "no-such", "code": code, "secret": secret()}
    words.add(client.post("/api/v1/device/enrol", json=unknown).text)
    connection.execute("update sensor_claim set expires_at = now() - interval '1 s'")
    words.add(enrol(client, code, secret=secret()).text)
    code = issue_code(connection, sensor, "linden-12")[0]
    retire_sensor(connection, "linden-12")
    answer = enrol(client, code, secret=secret())
    words.add(answer.text)
    assert (answer.status_code, len(words)) == (404, 1)


def test_the_code_works_for_the_owner_and_for_the_device_in_either_order(
    client: httpx.Client, connection: psycopg.Connection, sensor: int, code: str
) -> None:
    assert enrol(client, code, secret=secret()).status_code == 201
    assert "linden-12" in client.get(f"/claim/{code}").text
    code = issue_code(connection, sensor, "linden-12")[0]
    account = add_person(connection, "anna@example.org")
    connection.execute("update sensor_claim set claimed_at = now()")
    connection.execute("update sensor set account_id = %s", (account,))
    assert enrol(client, code, secret=secret()).status_code == 201


def test_a_street_that_does_not_exist_and_a_broker_nobody_named_do_not_use_up_the_code(
    client: httpx.Client, settings: ApiSettings, connection: psycopg.Connection, code: str
) -> None:
    mine = secret()
    refused = enrol(client, code, secret=mine, segment_id=999)
    assert (refused.status_code, "there is no segment 999" in refused.text) == (422, True)
    nowhere = ApiSettings(dsn=settings.dsn, pool_max=4, keep_s=0, jobs_at_once=0)
    with served(nowhere) as home, httpx.Client(base_url=home) as other:
        assert enrol(other, code, secret=mine).status_code == 503
    elsewhere = add_segment(connection, "Elmstreet")
    answer = enrol(client, code, secret=mine, segment_id=elsewhere)
    assert (answer.status_code, answer.json()["segment"]["id"]) == (201, elsewhere)
    again = enrol(client, code, secret=mine, segment_id=elsewhere)
    assert again.json() == answer.json()
    assert connection.execute("select count(*) from installation").fetchone() == (2,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "short"},
        {"secret": "x" * 43, "extra": 1},
        {"secret": "x" * 43, "segment_id": "1"},
        {"secret": "x" * 43, "segment_id": 2**70},
        {"secret": "x" * 43, "to_b": "a\x00b"},
        {"secret": "x" * 43, "sensor": "../etc"},
        {},
    ],
)
def test_what_cannot_be_read_is_refused_and_uses_nothing_up(
    client: httpx.Client, connection: psycopg.Connection, code: str, wrong: dict[str, object]
) -> None:
    before = stored(connection)
    assert enrol(client, code, **wrong).status_code == 422
    assert stored(connection) == before


def test_guessing_is_slow_and_every_try_is_noted_by_network(
    client: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    statuses = [enrol(client, f"0000-0000-{n:04}", secret=secret()).status_code for n in range(20)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    noted = connection.execute("select host(network), masklen(network), sensor_id, outcome, tries from enrol_attempt")
    assert noted.fetchall() == [("127.0.0.0", 24, sensor, "wrong", statuses.count(404))]


def test_nothing_that_lets_anybody_in_is_stored(
    client: httpx.Client, connection: psycopg.Connection, code: str
) -> None:
    mine = secret()
    body = enrol(client, code, secret=mine).json()
    rows = repr(connection.execute("select v.*, c.* from sensor v join sensor_claim c using (sensor_id)").fetchall())
    for text in (mine, body["password"], body["api"]["token"], code):
        assert text not in rows


def test_a_device_that_wipes_itself_ends_what_it_got_and_a_new_code_sets_it_up_again(
    client: httpx.Client, connection: psycopg.Connection, sensor: int, code: str
) -> None:
    first = enrol(client, code, secret=secret()).json()
    key = {"Authorization": f"Bearer {first['api']['token']}"}
    assert client.delete("/api/v1/device", headers=key).status_code == 200
    assert client.get("/api/v1/device", headers=key).status_code == 401
    assert stored(connection) == ""
    code = issue_code(connection, sensor, "linden-12")[0]
    second = enrol(client, code, secret=secret()).json()
    assert second["password"] != first["password"]
    assert check_password(second["password"], stored(connection))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return tmp_path / "ca.pem"


def test_a_setting_that_would_hand_a_key_or_a_readable_way_to_devices_is_refused(certificate: Path) -> None:
    with pytest.raises(SettingsError, match="only for a broker_host on this machine"):
        check(ApiSettings(broker_host="broker.example.org", broker_tls=False))
    with pytest.raises(SettingsError, match="cannot be read"):
        check(ApiSettings(broker_ca_file=certificate))
    certificate.write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(SettingsError, match="and no key"):
        check(ApiSettings(broker_ca_file=certificate))
    certificate.write_text("-----BEGIN CERTIFICATE-----\n")
    check(ApiSettings(broker_ca_file=certificate))
