"""`telstraat work`: a worker by itself, on this machine or another."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from prometheus_client import start_http_server

from telstraat_api.jobs.worker import Worker
from telstraat_api.settings import ApiSettings, database_of
from telstraat_contract.errors import SettingsError


def work(settings: ApiSettings, at_once: int) -> int:
    """Take jobs until SIGINT or SIGTERM: then finish what can be finished in `job_grace_s`, and hand back the rest."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    asyncio.run(work_until_stopped(settings, at_once))
    return 0


async def work_until_stopped(settings: ApiSettings, at_once: int) -> None:
    """Work, with metrics if a port is set for them."""
    database = database_of(settings)
    await database.open()
    worker = Worker(database, settings, at_once)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, worker.stop)
    serve_metrics(worker, settings)
    sys.stdout.write(f"worker {worker.name} takes {at_once} job{'s' if at_once > 1 else ''} at once\n")
    sys.stdout.flush()
    try:
        await worker.run()
    finally:
        await database.close()


def serve_metrics(worker: Worker, settings: ApiSettings) -> None:
    """Serve the metrics of a worker where a port is set for them; `SettingsError` when it is taken."""
    if not settings.job_metrics_port:
        return
    try:
        start_http_server(settings.job_metrics_port, settings.host, registry=worker.metrics.registry)
    except OSError as error:
        raise SettingsError(
            f"job_metrics_port={settings.job_metrics_port}: {error.strerror or error}; name another port, or 0 for none"
        ) from error
