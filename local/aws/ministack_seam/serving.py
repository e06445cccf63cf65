"""The HTTP server in front of ministack."""

from __future__ import annotations

import asyncio
import signal
import socket

import ministack.app as ministack
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config


def serve(listener: socket.socket) -> None:
    """Answer HTTP requests on ``listener`` until SIGTERM or SIGINT."""
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.5
    config.shutdown_timeout = 1.0

    async def until_stopped() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        await hypercorn_serve(ministack.app, config, shutdown_trigger=stopped.wait)

    asyncio.run(until_stopped())
