"""From the broker to ingest: the MQTT client, who may send how much, and who is being watched live."""

from __future__ import annotations
