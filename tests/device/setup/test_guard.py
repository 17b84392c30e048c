"""Who is answered by the set-up pages, by which name, from which page, how much and how slowly."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.setup.sensors import NAME, PHONE, SensorAtHome, posted, served_site, token_of

from telstraat_contract.claims import new_claim_code
from telstraat_device.setup.web import guard


@pytest.fixture
def sensor(tmp_path: Path) -> SensorAtHome:
    return SensorAtHome(tmp_path)


@pytest.mark.parametrize("name", ["evil.example", f"{NAME}.local.evil.example", "8.8.8.8", "192.168.1.99", ""])
def test_a_name_that_is_not_the_sensors_gets_no_page(sensor: SensorAtHome, name: str) -> None:
    answer = sensor.phone().get("/", headers={"host": name})
    assert answer.status_code == 421
    assert "code" not in answer.text


@pytest.mark.parametrize("name", [NAME, f"{NAME}.local", f"{NAME.upper()}.LOCAL.", f"{NAME}.local:80"])
def test_the_sensors_own_names_get_the_page(sensor: SensorAtHome, name: str) -> None:
    assert sensor.phone().get("/", headers={"host": name}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://elm-street-1.local", ""])
def test_a_form_of_another_page_changes_nothing(sensor: SensorAtHome, origin: str) -> None:
    owner = sensor.owners_phone()
    token = token_of(owner)
    answer = owner.post("/aim/open", data={"token": token}, headers={"origin": origin})
    assert answer.status_code == 403
    assert not sensor.site.desk.is_open


def test_a_form_without_the_token_of_its_session_changes_nothing(sensor: SensorAtHome) -> None:
    owner, other = sensor.owners_phone(), sensor.owners_phone("192.168.1.30")
    for token in ("", "x" * 32, token_of(other)):
        assert owner.post("/aim/open", data={"token": token}).status_code == 403
    assert not sensor.site.desk.is_open


def test_a_picture_or_script_of_ours_in_another_page_is_not_given(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert owner.get("/aim/picture", headers=headers).status_code == 403


def test_every_answer_forbids_what_is_of_elsewhere(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    for answer in (
        owner.get("/aim"),
        owner.get("/static/setup.css"),
        owner.get("/nothing"),
        sensor.phone("8.8.8.8").get("/"),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    for path in ("/", "/network", "/aim", "/street", "/account", "/test", "/status"):
        page = owner.get(path).text
        assert "style=" not in page, path
        assert 'src="http' not in page, path


def test_the_code_is_tried_five_times_a_minute_from_an_address_and_the_owner_is_not_locked_out(
    sensor: SensorAtHome,
) -> None:
    stranger = sensor.phone("192.168.1.66")
    tries = [stranger.post("/enter", data={"code": new_claim_code()}).status_code for _ in range(7)]
    assert tries == [403] * 5 + [429] * 2
    assert stranger.post("/enter", data={"code": sensor.site.code}).status_code == 429
    assert sensor.phone(PHONE).post("/enter", data={"code": sensor.site.code}).status_code == 303
    sensor.clock.now_s += 61
    assert stranger.post("/enter", data={"code": sensor.site.code}).status_code == 303


def test_many_addresses_together_get_sixty_tries_a_minute(sensor: SensorAtHome) -> None:
    tries = [
        sensor.phone(f"192.168.2.{number}").post("/enter", data={"code": "guess"}).status_code
        for number in range(1, 71)
    ]
    assert tries.count(403) == 60
    assert tries[60:] == [429] * 10


def test_a_code_may_be_typed_as_people_type(sensor: SensorAtHome) -> None:
    typed = sensor.site.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    answer = sensor.phone().post("/enter", data={"code": f"  {typed} "})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_session_ends_after_half_a_day_and_when_somebody_leaves(sensor: SensorAtHome) -> None:
    owner, second = sensor.owners_phone(), sensor.owners_phone("192.168.1.21")
    posted(second, "/leave")
    assert second.get("/aim").headers["location"] == "/"
    sensor.clock.now_s += 12 * 3600
    assert owner.get("/aim").headers["location"] == "/"


def test_the_language_goes_back_to_our_own_page_only(sensor: SensorAtHome) -> None:
    for back in ("//evil.example", "https://evil.example", "/\\evil.example"):
        answer = sensor.phone().post("/language", data={"language": "nl", "back": back})
        assert answer.headers["location"] == "/"
    assert "Begin" in sensor.phone().get("/").text
    assert "Beginnen" in sensor.phone().get("/", headers={"accept-language": "de-AT,en;q=0.5"}).text


def test_a_phone_in_the_sensors_own_network_is_led_to_the_pages(sensor: SensorAtHome) -> None:
    probes = {
        "captive.apple.com": "/hotspot-detect.html",
        "connectivitycheck.gstatic.com": "/generate_204",
        "www.msftconnecttest.com": "/connecttest.txt",
        "detectportal.firefox.com": "/canonical.html",
    }
    for host, path in probes.items():
        assert sensor.phone().get(path, headers={"host": host}).status_code == 421
    sensor.network.now = "own"
    sensor.site.step()
    for host, path in probes.items():
        answer = sensor.phone("10.42.0.77").get(path, headers={"host": host})
        assert (answer.status_code, answer.headers["location"]) == (302, "http://10.42.0.1/")
    assert sensor.phone("10.42.0.77", "http://10.42.0.1").get("/", headers={"host": "10.42.0.1"}).status_code == 200
    assert sensor.phone("10.42.0.77").post("/enter", headers={"host": "captive.apple.com"}).status_code == 421


def test_a_form_that_is_too_long_is_refused(sensor: SensorAtHome) -> None:
    assert sensor.phone().post("/enter", content=b"code=" + b"x" * guard.BODY_BYTES_MAX).status_code == 413


@pytest.fixture
def port(sensor: SensorAtHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(guard, "HEAD_S", 0.4)
    monkeypatch.setattr(guard, "BODY_S", 0.4)
    with served_site(sensor.site) as home:
        yield int(home.rpartition(":")[2])


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def is_hung_up(connection: socket.socket) -> bool:
    """Return whether the other side hangs up, however it does."""
    connection.settimeout(10)
    with contextlib.suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return True


def test_a_request_that_trickles_in_is_hung_up_on(port: int) -> None:
    with connected(port) as silent, connected(port) as slow, connected(port) as halved:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        halved.sendall(
            b"POST /enter HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 1000\r\n\r\ncode="
        )
        assert is_hung_up(silent)
        assert is_hung_up(slow)
        assert b"408" in halved.recv(4096)
    with connected(port) as fine:
        fine.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert fine.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_address_holds_few_connections_and_the_others_are_hung_up_on(port: int) -> None:
    with contextlib.ExitStack() as stack:
        held_open = [stack.enter_context(connected(port)) for _ in range(guard.CONNECTIONS_OF_AN_ADDRESS)]
        held_open[0].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert held_open[0].recv(100).startswith(b"HTTP/1.1 200")
        assert is_hung_up(stack.enter_context(connected(port)))
    end_s = time.monotonic() + 10
    while True:
        with connected(port) as later:
            later.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                if later.recv(100).startswith(b"HTTP/1.1 200"):
                    return
        assert time.monotonic() < end_s


@pytest.mark.parametrize(
    "nonsense", [b"\x00\xff\xfe", b"GET / HTTP/9.9\r\n\r\n", b"GET http://x/ HTTP/1.1\r\n\r\n", b"A" * 70_000]
)
def test_nonsense_ends_in_a_refusal_and_the_pages_stay(port: int, nonsense: bytes) -> None:
    with connected(port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(nonsense)
        assert is_hung_up(connection)
    with connected(port) as fine:
        fine.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert fine.recv(4096).startswith(b"HTTP/1.1 200")
