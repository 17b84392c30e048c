"""What a sensor and the server say to each other: messages, topics and the rules of quarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telstraat_contract.exports import exporter

if TYPE_CHECKING:
    from telstraat_contract.errors import (
        ContractError,
        LanguageError,
        MessageError,
        SensorNameError,
        SettingsError,
        TopicError,
    )
    from telstraat_contract.messages import (
        Confidence,
        Config,
        Counts,
        Directed,
        Flag,
        Health,
        Live,
        Message,
        Receipt,
        Report,
        Status,
        Watch,
        decode,
        encode,
    )
    from telstraat_contract.quarters import QUARTER, QUARTER_S, is_quarter_start, quarter_start
    from telstraat_contract.road_users import (
        CLASSES,
        COUNT_COLUMNS,
        COUNTED,
        DIRECTIONS,
        SPEED_BIN_KMH,
        SPEED_BINS,
        RoadUser,
    )
    from telstraat_contract.settings import DatabaseSettings, SettingsReader
    from telstraat_contract.topics import Channel, Topic, check_sensor_name, parse_topic, topic
else:
    __getattr__ = exporter(
        __name__,
        {
            "errors": "ContractError LanguageError MessageError SensorNameError SettingsError TopicError",
            "messages": "Confidence Config Counts Directed Flag Health Live Message Receipt Report Status Watch decode encode",
            "quarters": "QUARTER QUARTER_S is_quarter_start quarter_start",
            "road_users": "CLASSES COUNTED COUNT_COLUMNS DIRECTIONS RoadUser SPEED_BINS SPEED_BIN_KMH",
            "settings": "DatabaseSettings SettingsReader",
            "topics": "Channel Topic check_sensor_name parse_topic topic",
        },
    )

__all__ = [
    "CLASSES",
    "COUNTED",
    "COUNT_COLUMNS",
    "DIRECTIONS",
    "QUARTER",
    "QUARTER_S",
    "SPEED_BINS",
    "SPEED_BIN_KMH",
    "Channel",
    "Confidence",
    "Config",
    "ContractError",
    "Counts",
    "DatabaseSettings",
    "Directed",
    "Flag",
    "Health",
    "LanguageError",
    "Live",
    "Message",
    "MessageError",
    "Receipt",
    "Report",
    "RoadUser",
    "SensorNameError",
    "SettingsError",
    "SettingsReader",
    "Status",
    "Topic",
    "TopicError",
    "Watch",
    "check_sensor_name",
    "decode",
    "encode",
    "is_quarter_start",
    "parse_topic",
    "quarter_start",
    "topic",
]
