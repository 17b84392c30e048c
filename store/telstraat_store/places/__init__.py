"""Where streets are and what stands there: segments, sensors, installations, claims; lines and limits from files."""

from __future__ import annotations

from telstraat_store.places.installations import install
from telstraat_store.places.segments import add_segment, draw_segment
from telstraat_store.places.sensors import (
    NewSensor,
    SensorRow,
    add_sensor,
    list_sensor_rows,
    move_sensor,
    renew_password,
    retire_sensor,
)

__all__ = [
    "NewSensor",
    "SensorRow",
    "add_segment",
    "add_sensor",
    "draw_segment",
    "install",
    "list_sensor_rows",
    "move_sensor",
    "renew_password",
    "retire_sensor",
]
