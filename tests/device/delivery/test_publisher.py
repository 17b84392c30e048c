"""The publisher at a real broker: sent, sent again, and believed only with a receipt."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from tests.device.toys import NOON_S, QUARTER_S
from tests.device.wires import Server, Wire, device_settings, server_of, wire
from tests.harness.brokers import TestBroker, TestClient, client_of
from tests.harness.processes import wait_until

from telstraat_contract.messages import Config, Health, Live, Receipt, Status, Watch, decode
from telstraat_contract.topics import Channel, topic
from telstraat_device.delivery.connection import tls_context
from telstraat_device.delivery.publisher import spread_of
from telstraat_device.quarters.periods import SavedState
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy

NEWEST, OLDER = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
Proxies = Callable[[int], FaultProxy]


def test_a_report_is_sent_again_until_its_receipt_comes(mosquitto: TestBroker, tmp_path: Path) -> None:
    with (
        server_of(mosquitto, "pub-1") as server,
        wire(device_settings(tmp_path, "pub-1", mosquitto.port), closed=1) as w,
    ):
        server.listen(lambda: len(server.reports) == 2)
        assert server.reports[0] == server.reports[1]
        assert w.outbox.waiting_count() == 1
        server.receipt(through=1)
        wait_until(lambda: w.outbox.waiting_count() == 0)
        assert w.publisher.counters.resent >= 1


def test_the_wait_for_a_receipt_grows_and_no_two_sensors_wait_alike(tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-2", 1, send={"resend_s": 30, "resend_max_s": 3600})
    with wire(settings) as w:
        waits = [[w.publisher._wait_s(attempt) for _ in range(50)] for attempt in (1, 2, 5, 30)]
        for some, middle_s in zip(waits, (30, 60, 480, 3600), strict=True):
            assert all(0.75 * middle_s <= wait_s <= 1.25 * middle_s for wait_s in some)
        assert all(len(set(some)) > 40 for some in waits)


def test_sensors_leave_spread_over_the_first_minute() -> None:
    moments = sorted(spread_of(f"sensor-{n}", 60.0) for n in range(6000))
    per_second = [sum(1 for moment in moments if s <= moment < s + 1) for s in range(60)]
    assert sum(per_second) == 6000
    assert min(per_second) > 60
    assert max(per_second) < 150
    assert spread_of("elm-1", 60.0) == spread_of("elm-1", 60.0)


def test_nothing_leaves_before_it_is_due_on_the_devices_clock(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-3", mosquitto.port, send={"health_s": 0.2})
    with server_of(mosquitto, "pub-3") as server, wire(settings, now_s=NOON_S + QUARTER_S - 1.0) as w:
        w.close_quarters(1, 1)
        server.hear(Health)
        server.hear(Health)
        assert server.reports == []
        w.now_s += 2.0
        server.listen(lambda: server.reports)


def test_on_connect_it_tells_its_stream_and_on_good_bye_that_it_is_away(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-4", mosquitto.port)
    with server_of(mosquitto, "pub-4") as server:
        with wire(settings, closed=3) as w:
            status: Status = server.hear(Status)
            assert (status.state, status.last_seq, status.epoch) == ("online", 3, w.outbox.current().epoch)
        server.listen(lambda: Status(sensor="pub-4", state="offline") in server.heard)
    with client_of(mosquitto, mosquitto.ingest_user) as later:
        assert later.subscribe(topic("pub-4", Channel.STATUS))
        message = later.received.get(timeout=5)
        assert message.retain
        assert decode(Channel.STATUS, bytes(message.payload)).state == "offline"


def test_a_sensor_that_dies_is_said_to_be_offline_by_the_broker(
    mosquitto: TestBroker, tmp_path: Path, fault_proxy: Proxies
) -> None:
    proxy = fault_proxy(mosquitto.port)
    settings = device_settings(tmp_path, "pub-5", proxy.port)
    with server_of(mosquitto, "pub-5") as server, wire(settings):
        assert server.hear(Status).state == "online"
        proxy.refuse()
        assert server.hear(Status).state == "offline"


def test_gaps_that_the_server_wants_are_sent_again_and_nothing_else(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-6", mosquitto.port, send={"resend_s": 2})
    with server_of(mosquitto, "pub-6") as server, wire(settings, closed=6) as w:
        server.listen(lambda: len(server.reports) == 6)
        server.receipt(through=2, seen=6, want=((3, 4),))
        server.listen(lambda: len(server.reports) == 8)
        assert sorted(server.seqs[6:]) == [3, 4]
        server.receipt(through=6)
        wait_until(lambda: w.outbox.waiting_count() == 0)


def test_a_new_report_does_not_queue_behind_the_backlog_of_days(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(
        tmp_path, "pub-7", mosquitto.port, send={"per_second": 80, "window": 20, "resend_s": 600, "resend_max_s": 600}
    )
    with server_of(mosquitto, "pub-7") as server, wire(settings, closed=200) as w:
        server.listen(lambda: len(server.reports) >= 20)
        assert len(server.reports) <= 60
        w.close_quarters(201, 201)
        server.listen(lambda: 201 in server.seqs)
        assert len(server.reports) < 60
        while w.outbox.waiting_count():
            before = len(server.reports)
            server.receipt(through=0, seen=201, want=missing(server.seqs, 201))
            server.listen(partial(heard_more, server, before, w))
        assert sorted(server.seqs) == list(range(1, 202)), "asking for what is on its way doubles nothing"


def heard_more(server: Server, before: int, w: Wire) -> bool:
    """Tell whether more reports than before have come, or none is left to come."""
    return len(server.reports) > before or not w.outbox.waiting_count()


def missing(seqs: list[int], last: int) -> tuple[tuple[int, int], ...]:
    """Return what a server that has these numbers wants."""
    gaps: list[tuple[int, int]] = []
    for seq in sorted(set(range(1, last + 1)) - set(seqs)):
        gaps = [*gaps[:-1], (gaps[-1][0], seq)] if gaps and gaps[-1][1] == seq - 1 else [*gaps, (seq, seq)]
    return tuple(gaps)


def test_when_no_receipt_comes_the_backlog_still_goes_out_once(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(
        tmp_path, "pub-8", mosquitto.port, send={"per_second": 500, "window": 10, "resend_s": 0.3, "resend_max_s": 600}
    )
    with server_of(mosquitto, "pub-8") as server, wire(settings, closed=60):
        server.listen(lambda: set(server.seqs) == set(range(1, 61)))


def test_silence_from_ingest_is_an_alarm_and_a_receipt_ends_it(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-9", mosquitto.port, send={"silent_s": 0.5, "health_s": 0.2})
    with server_of(mosquitto, "pub-9") as server, wire(settings, closed=2):
        server.listen(
            lambda: any(isinstance(m, Health) and any("no receipt for 2" in a for a in m.alarms) for m in server.heard)
        )
        server.receipt(through=2)
        server.listen(lambda: server.hear(Health).alarms == ())


def test_a_refused_publish_is_an_alarm_and_not_a_success(fresh_mosquitto: TestBroker, tmp_path: Path) -> None:
    fresh_mosquitto.let_in("pub-10")
    acl = fresh_mosquitto.acl_file.read_text()
    fresh_mosquitto.acl_file.write_text(acl.replace("pattern write telstraat/v1/%u/report\n", ""))
    fresh_mosquitto.reload()
    settings = device_settings(tmp_path, "pub-10", fresh_mosquitto.port, send={"health_s": 0.2})
    with server_of(fresh_mosquitto, "pub-10") as server, wire(settings, closed=1) as w:
        server.listen(
            lambda: any(
                isinstance(m, Health) and any("refused a report: Not authorized" in a for a in m.alarms)
                for m in server.heard
            )
        )
        assert w.outbox.waiting_count() == 1
        fresh_mosquitto.acl_file.write_text(acl)
        fresh_mosquitto.reload()
        server.listen(lambda: server.reports)
        server.receipt(through=1)
        server.listen(lambda: server.hear(Health).alarms == ())


def test_a_wrong_password_is_an_alarm_and_trying_goes_on(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-11", mosquitto.port)
    secret = Path(settings.sensor.password_file)
    right = secret.read_text()
    secret.write_text("wrong canary")
    with server_of(mosquitto, "pub-11") as server, wire(settings, closed=1) as w:
        wait_until(lambda: any("Not authorized" in text for text in w.publisher.alarms()))
        assert not any("canary" in text for text in w.publisher.alarms())
        secret.write_text(right)
        server.listen(lambda: server.reports)
        assert not w.publisher.alarms()


def test_a_broker_that_is_not_there_is_an_alarm_and_found_when_it_comes(
    fresh_mosquitto: TestBroker, tmp_path: Path
) -> None:
    fresh_mosquitto.let_in("pub-12")
    fresh_mosquitto.stop()
    with wire(device_settings(tmp_path, "pub-12", fresh_mosquitto.port), closed=1) as w:
        wait_until(lambda: any("refused" in text for text in w.publisher.alarms()))
        fresh_mosquitto.start()
        wait_until(lambda: w.publisher.counters.sent == 1)


def test_a_broker_without_mqtt_5_is_spoken_to_in_3(fresh_amqtt: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-13", fresh_amqtt.port)
    with server_of(fresh_amqtt, "pub-13") as server, wire(settings, closed=2) as w:
        server.listen(lambda: set(server.seqs) == {1, 2})
        server.receipt(through=2)
        wait_until(lambda: w.outbox.waiting_count() == 0)


def test_only_the_answer_that_the_version_is_unknown_leads_to_3_and_the_next_attempt_is_5_again(
    fresh_amqtt: TestBroker, tmp_path: Path, fault_proxy: Proxies
) -> None:
    proxy = fault_proxy(fresh_amqtt.port)
    fresh_amqtt.let_in("pub-22")
    with closing(Wire(device_settings(tmp_path, "pub-22", proxy.port))) as w:
        tried = versions_tried(w)
        w.start()
        wait_until(lambda: w.publisher.counters.connects == 1)
        assert tried == [NEWEST, OLDER]
        del tried[:]
        proxy.refuse()
        wait_until(lambda: len(tried) >= 3)
        assert set(tried) == {NEWEST}, "a hang-up is no answer"
        proxy.heal()
        wait_until(lambda: w.publisher.counters.connects == 2)
        assert tried[-2:] == [NEWEST, OLDER]


def test_a_fault_right_after_the_answer_leaves_nobody_at_the_older_version(
    fresh_amqtt: TestBroker, mosquitto: TestBroker, tmp_path: Path, fault_proxy: Proxies
) -> None:
    fresh_amqtt.let_in("pub-23")
    mosquitto.let_in("pub-23")
    proxy = fault_proxy(fresh_amqtt.port)
    with wire(device_settings(tmp_path, "pub-23", proxy.port)) as w:
        wait_until(lambda: w.publisher.counters.connects == 1)
        assert w.publisher._connection is not None
        assert w.publisher._connection.protocol == OLDER
        proxy.target_port = mosquitto.port  # the broker was updated: it speaks 5 now
        proxy.cut()
        wait_until(lambda: w.publisher.counters.connects == 2)
        assert w.publisher._connection.protocol == NEWEST


def versions_tried(w: Wire) -> list[MQTTProtocolVersion]:
    """Return a list that grows with every attempt to connect from now on."""
    tried: list[MQTTProtocolVersion] = []
    connect = w.publisher._connect

    def noting(now_s: float) -> None:
        tried.append(w.publisher._protocol)
        connect(now_s)

    w.publisher._connect = noting  # type: ignore[method-assign]
    return tried


def test_no_answer_to_a_stream_of_an_earlier_run_is_an_alarm_and_asked_again(
    mosquitto: TestBroker, tmp_path: Path
) -> None:
    settings = device_settings(tmp_path, "pub-24", mosquitto.port, send={"silent_s": 0.5, "health_s": 0.2})
    with wire(device_settings(tmp_path, "pub-24", 1)) as earlier:
        earlier.close_quarters(1, 3)
    with server_of(mosquitto, "pub-24") as server, wire(settings) as w:
        requests = [server.hear(Status), server.hear(Status)]
        assert [(s.state, s.epoch, s.last_seq) for s in requests] == [("online", w.outbox.current().epoch, 0)] * 2
        server.listen(lambda: any("held back" in text for text in server.hear(Health).alarms))
        assert server.reports == []
        server.say(Receipt(epoch=requests[0].epoch, through=0, seen=0))
        server.listen(lambda: set(server.seqs) == {1, 2, 3})
        server.receipt(through=3)
        server.listen(lambda: server.hear(Health).alarms == ())


def test_live_flows_only_while_somebody_looks(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-14", mosquitto.port, send={"live_s": 0.1, "health_s": 0.3})
    with server_of(mosquitto, "pub-14") as server, wire(settings) as w:
        noon = datetime.fromtimestamp(NOON_S, UTC)
        w.live = Live(sensor="pub-14", at=noon, period_start=noon, observed_s=7)
        hear_health_of(server, w, 1.0)
        assert not any(isinstance(m, Live) for m in server.heard)
        server.say(Watch(seconds=1))
        assert server.hear(Live) == w.live
        wait_until(lambda: time.monotonic() > w.publisher._watched_until_s)
        hear_health_of(server, w, 2.0)
        looked = sum(isinstance(m, Live) for m in server.heard)
        hear_health_of(server, w, 3.0)
        assert sum(isinstance(m, Live) for m in server.heard) == looked


def hear_health_of(server: Server, w: Wire, moment_s: float) -> None:
    """Wait for a health message made after now: the one that shows this moment."""
    w.now_s = NOON_S + moment_s
    server.listen(lambda: any(isinstance(m, Health) and m.at.timestamp() == w.now_s for m in server.heard))


def test_settings_of_the_server_reach_a_device_that_comes_later(mosquitto: TestBroker, tmp_path: Path) -> None:
    with server_of(mosquitto, "pub-15") as server:
        server.say(Config(version=5, flip=True), retain=True)
        with wire(device_settings(tmp_path, "pub-15", mosquitto.port)) as w:
            wait_until(lambda: w.configs == [Config(version=5, flip=True)])
        server.client.publish(topic("pub-15", Channel.CONFIG), b"", retain=True)


def test_rubbish_from_the_server_is_counted_and_the_next_word_is_heard(mosquitto: TestBroker, tmp_path: Path) -> None:
    with (
        server_of(mosquitto, "pub-16") as server,
        wire(device_settings(tmp_path, "pub-16", mosquitto.port), closed=1) as w,
    ):
        server.listen(lambda: server.reports)
        for payload in (b"", b"{", b"\xff" * 100, b'{"epoch": 0}'):
            server.client.publish(topic("pub-16", Channel.RECEIPT), payload)
        server.receipt(through=1)
        wait_until(lambda: w.outbox.waiting_count() == 0)
        assert w.publisher.counters.unreadable == 4


def test_a_new_epoch_is_told_without_a_new_connection(mosquitto: TestBroker, tmp_path: Path) -> None:
    with server_of(mosquitto, "pub-17") as server, wire(device_settings(tmp_path, "pub-17", mosquitto.port)) as w:
        first: Status = server.hear(Status)
        w.outbox.save(SavedState(generation=1))
        then: Status = server.hear(Status)
        assert first.epoch != then.epoch == w.outbox.current().epoch
        assert w.publisher.counters.connects == 1


def test_a_refusal_by_ingest_ends_the_sending_and_is_an_alarm(mosquitto: TestBroker, tmp_path: Path) -> None:
    with (
        server_of(mosquitto, "pub-18") as server,
        wire(device_settings(tmp_path, "pub-18", mosquitto.port), closed=2) as w,
    ):
        server.listen(lambda: len(server.reports) >= 2)
        server.say(Receipt(epoch=server.reports[0].epoch, through=2, seen=2, refused=((2, 2),)))
        wait_until(lambda: w.outbox.waiting_count() == 0)
        assert any("reports 2-2 into quarantine" in text for text in w.publisher.alarms())


def test_a_flush_waits_for_receipts_and_no_longer_than_it_may(mosquitto: TestBroker, tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "pub-19", mosquitto.port, send={"spread_s": 600})
    with server_of(mosquitto, "pub-19") as server, wire(settings, closed=2, now_s=0.0) as w:
        server.hear(Status)
        w.pause()
        assert not w.publisher.flush(0.5, threading.Event())
        server.listen(lambda: len(server.reports) == 2)
        server.receipt(through=2)
        assert w.publisher.flush(10.0, threading.Event())


def test_a_connection_to_another_machine_checks_certificate_and_name() -> None:
    context = tls_context("")
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_second_device_with_the_same_name_is_noticed(mosquitto: TestBroker, tmp_path: Path) -> None:
    with server_of(mosquitto, "pub-20"), wire(device_settings(tmp_path, "pub-20", mosquitto.port)) as w:
        wait_until(lambda: w.publisher.counters.connects == 1)
        other = TestClient(mosquitto, "pub-20")
        other.client.disconnect()
        other.client._client_id = b"pub-20"
        other.client.reconnect()
        wait_until(
            lambda: any("taken over" in text for text in w.publisher.alarms()) or w.publisher.counters.connects > 1
        )
        other.close()


@pytest.mark.parametrize("count", [1, 250])
def test_every_report_arrives_once_per_number_whatever_breaks_on_the_way(
    mosquitto: TestBroker, tmp_path: Path, fault_proxy: Proxies, count: int
) -> None:
    proxy = fault_proxy(mosquitto.port)
    sensor = f"pub-21-{count}"
    settings = device_settings(tmp_path, sensor, proxy.port, send={"per_second": 400, "window": 60, "resend_s": 0.5})
    with server_of(mosquitto, sensor) as server, wire(settings, closed=count) as w:
        for _ in range(3):
            before = len(server.reports)
            server.listen(partial(heard_more, server, before, w))
            proxy.cut()
        server.listen(lambda: set(server.seqs) == set(range(1, count + 1)), 40)
        while w.outbox.waiting_count():  # a receipt may be lost, too: ingest answers every time
            server.receipt(through=count)
            time.sleep(0.05)
        assert {report.counts.car.lft for report in server.reports} == set(range(1, count + 1))
