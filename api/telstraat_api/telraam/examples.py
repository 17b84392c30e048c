"""Made-up answers, for OpenAPI and for the reader."""

from __future__ import annotations

from typing import Any

TRAFFIC = {
    "level": "segments",
    "format": "per-hour",
    "id": "1001",
    "time_start": "2026-03-02 07:00:00Z",
    "time_end": "2026-03-02 09:00:00Z",
}
ROW: dict[str, Any] = {
    "instance_id": -1,
    "segment_id": 1001,
    "date": "2026-03-02T07:00:00.000Z",
    "interval": "hourly",
    "uptime": 0.9994444444,
    "heavy": 9.0,
    "car": 84.0,
    "bike": 61.0,
    "pedestrian": 22.0,
    "night": 0.0,
    "heavy_lft": 4.0,
    "heavy_rgt": 5.0,
    "car_lft": 30.0,
    "car_rgt": 54.0,
    "bike_lft": 15.0,
    "bike_rgt": 46.0,
    "pedestrian_lft": 10.0,
    "pedestrian_rgt": 12.0,
    "night_lft": 0.0,
    "night_rgt": 0.0,
    "direction": 1,
    "car_speed_hist_0to70plus": [2.4, 10.7, 34.5, 38.1, 11.9, 2.4, 0.0, 0.0],
    "car_speed_hist_0to120plus": [1.2, 1.2, 4.8, 5.9, 14.3, 20.2, 22.6, 15.5, 8.3, 3.6, 1.2, 1.2, *[0.0] * 13],
    "timezone": "Europe/Brussels",
    "v85": 40.0,
}
REPORT = {"status_code": 200, "message": "ok", "report": [ROW]}
LINE = {"type": "MultiLineString", "coordinates": [[[4.7005, 50.8779], [4.7032, 50.8786]]]}
SNAPSHOT = {
    "status_code": 200,
    "message": "ok",
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": LINE,
            "properties": {
                "segment_id": 1001,
                "timezone": "Europe/Brussels",
                "date": "2026-03-02 07:00:00+00:00",
                "period": "hourly",
                "uptime": 0.9994444444444445,
                "heavy": 9.0,
                "car": 84.0,
                "bike": 61.0,
                "pedestrian": 22.0,
                "night": 0.0,
                "v85": 40.0,
            },
        }
    ],
}
SEGMENTS = {
    "status_code": 200,
    "message": "ok",
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "geometry": LINE, "properties": {"segment_id": 1001}}],
}
INSTANCE: dict[str, Any] = {
    "instance_id": 101,
    "mac": 350000000000001,
    "user_id": 0,
    "segment_id": 1001,
    "direction": True,
    "status": "active",
    "manual": False,
    "time_added": "2026-01-05T09:00:00.000Z",
    "time_end": None,
    "last_data_package": "2026-03-02T08:14:58.120Z",
    "first_data_package": "2026-01-05T09:30:00.000Z",
    "pedestrians_left": True,
    "pedestrians_right": True,
    "bikes_left": True,
    "bikes_right": True,
    "cars_left": True,
    "cars_right": True,
    "is_calibration_done": "no",
    "hardware_version": 2,
    "status_detailed": "active",
    "private": False,
}
CAMERAS = {"status_code": 200, "message": "ok", "cameras": [INSTANCE]}
CAMERA = {"status_code": 200, "message": "ok", "camera": [INSTANCE]}
