"""Months of a sensor's reports at once, from arrays: what nobody will send any more, written as ingest would have written it.

The same stage, upsert, streams and marks as a batch of ingest; only the reading of messages and the receipts are left out, since
there are neither. The same reports again are a no-op, so whoever was interrupted begins anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from psycopg import Connection

from telstraat_store.errors import RegistryError
from telstraat_store.reports import copy_rows, statements
from telstraat_store.reports.copy_arrays import ReportArrays, packed

_DAY_S = 86_400
_STREAMS_MAX = 32_767


def write_past(connection: Connection[Any], sensor: str, epoch: int, arrays: ReportArrays) -> int:
    """Write the reports of one stream of a sensor and mark their hours and days; return how many were new.

    Parameters
    ----------
    connection
        In autocommit; one transaction is made of it.
    sensor
        Its name. Whether it is retired does not matter: it was not when it counted.
    epoch
        Its stream's; the same for the same reports.
    arrays
        Its reports, each quarter once.

    Raises
    ------
    RegistryError
        There is no such sensor, or the table has other reports under the same key.
    """
    if not len(arrays):
        return 0
    days = np.unique(np.asarray(arrays.start_s) // _DAY_S) * _DAY_S
    connection.execute(statements.MAKE_PARTITIONS, (days.tolist(),))
    connection.execute(copy_rows.STAGE)
    with connection.transaction(), connection.cursor() as cursor:
        known = cursor.execute(statements.SENSORS, ([sensor],)).fetchone()
        if known is None:
            raise RegistryError(f"there is no sensor {sensor!r}")
        sensor_id = int(known[1])
        cursor.execute(statements.LOCK_SENSORS, ([sensor_id],))
        stream = {"sensors": [sensor_id], "epochs": [epoch], "most": _STREAMS_MAX, "a_day": _STREAMS_MAX}
        cursor.execute(statements.NEW_STREAMS, stream)
        cursor.execute(statements.STREAMS, ([sensor_id], [epoch]))
        [(_, _, epoch_no)] = cursor.fetchall()
        cursor.execute(statements.LOCK_STREAMS, ([sensor_id], [epoch_no]))
        with cursor.copy(copy_rows.COPY) as copy:
            copy.write(copy_rows.HEADER + packed(arrays, sensor_id, epoch_no) + copy_rows.TRAILER)
        cursor.execute(statements.INSERT_PAST)
        inserted = cursor.rowcount
        if inserted < len(arrays) and cursor.execute(statements.CONTRADICTIONS).fetchone():
            raise RegistryError(f"the table has other reports of sensor {sensor!r} in the same quarters and stream")
        cursor.execute(statements.TAKE)
        cursor.execute(statements.PAST_STREAM)
        if inserted:
            cursor.execute(statements.DIRTY)
    return inserted


def settle(connection: Connection[Any]) -> None:
    """Have the database look at what was written: its plans for the sums depend on how much there is."""
    connection.execute("analyze report")
