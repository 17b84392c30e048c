"""The HTTP service: uvicorn on a socket of our own; every live stream hears goodbye before the server stops."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn
import uvloop
from fastapi import FastAPI

from telstraat_api.additions import NOTHING, Additions
from telstraat_api.app import create_app
from telstraat_api.http.connections import BoundedProtocol, raise_file_limit
from telstraat_api.live import LiveHub
from telstraat_api.settings import ApiSettings
from telstraat_api.web.workshops.room_hub import RoomHub

GRACE_S = 3
BACKLOG = 512


class Server(uvicorn.Server):
    """A server that closes live streams first: they would hold the others up."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self.application = application
        self.live: LiveHub = application.state.live
        self.rooms: RoomHub = application.state.rooms

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the live streams, then stop as uvicorn does."""
        self.live.close()
        self.rooms.close()
        await super().shutdown(sockets)


def server_for(settings: ApiSettings, additions: Additions = NOTHING) -> Server:
    """Return a server that is ready to run."""
    app = create_app(settings, additions)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        forwarded_allow_ips=settings.trusted_proxies,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, app)


def serve(settings: ApiSettings, additions: Additions = NOTHING) -> int:
    """Listen and serve until SIGINT or SIGTERM; print the address first. OSError when it cannot listen."""
    raise_file_limit()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG) as listener:
        host = f"[{settings.host}]" if family is socket.AF_INET6 else settings.host
        sys.stdout.write(f"listening on http://{host}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            server = server_for(settings, additions)
            server.application.openapi()  # takes half a second, for which no reader is to wait
            runner.run(server.serve(sockets=[listener]))
    return 0
