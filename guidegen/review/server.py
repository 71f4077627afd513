"""Serve the review page of one case on this computer alone."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from guidegen.errors import GuidegenError, InputError
from guidegen.review.app import Page
from guidegen.review.guard import Door
from guidegen.review.session import Session

FIRST_PICTURES_S = 2.0
BREATH_S = 0.1
"""Between two pieces of preparation, so that the page is answered meanwhile."""


def serve(root: Path, port: int, open_browser: bool, tell: Callable[[str], None]) -> None:
    """Serve a case until somebody stops it, on the page or with Ctrl-C.

    Args:
        root: The case folder.
        port: On 127.0.0.1; 0 takes a free one.
        open_browser: Open the page in the computer's own browser.
        tell: Told the address, token included, as soon as the page can be opened.

    Raises:
        InputError: The folder is no case, or the port is taken.
        PlanError: The case has no plan that can be read.
    """
    session = Session(root)
    listening = _listen(port)
    door = Door(listening.getsockname()[1])
    server: uvicorn.Server

    def stop() -> None:
        server.should_exit = True

    page = Page(session, door, stop)
    config = uvicorn.Config(
        page.app(),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_prepare, args=(session,), daemon=True).start()
    tell(door.address)
    if open_browser:
        webbrowser.open(door.address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
        session.finish()


def _prepare(session: Session) -> None:
    """Read the case, leave the page time for its first pictures, then make changes quick."""
    try:
        bench = session.loaded().bench
        time.sleep(FIRST_PICTURES_S)
        for _ in bench.prepare(session.plan):
            time.sleep(BREATH_S)
    except (GuidegenError, OSError):
        return  # the page asks for the same and is told the reason


def _listen(port: int) -> socket.socket:
    """A listening socket on the loopback alone."""
    if not 0 <= port <= 65535:
        raise InputError(f"--port wants 0 to 65535, found {port}")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise InputError(
            f"port {port} is taken: choose another --port, or leave it out for a free one"
        ) from error
    return listening
