"""A bridge in the shape that public ones have: one insert, in its own transaction, for each message. The peer of bench/ingest.

python -m bench.ingest.peer HOST PORT USER PASSWORD_FILE DSN
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

TABLE = """
create table if not exists peer_report (
    sensor text, period_start timestamptz, seq integer, observed_s integer, counts jsonb, car_speed integer[],
    light text, flags integer, received_at timestamptz default now(), primary key (sensor, period_start)
)
"""
INSERT = """
insert into peer_report (sensor, period_start, seq, observed_s, counts, car_speed, light, flags)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""


def main(host: str, port: str, user: str, password_file: str, dsn: str) -> None:
    """Receive and insert until killed."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute(TABLE)

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        content = json.loads(message.payload)
        values = [content[name] for name in ("sensor", "period_start", "seq", "observed_s")]
        values += [json.dumps(content["counts"]), content["car_speed"], content["light"], content["flags"]]
        connection.execute(INSERT, values)

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-peer", clean_session=False)
    client.username_pw_set(user, Path(password_file).read_text(encoding="utf-8").strip())
    client.on_message = on_message
    client.on_connect = lambda item, *_: item.subscribe("telstraat/v1/+/report", 1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
