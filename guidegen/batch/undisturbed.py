"""Preloaded by the workers of this computer: Ctrl-C is for the batch, which then ends them."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Leave the keyboard to the batch itself; dask calls it in the worker's main thread.

    Args:
        worker: dask's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
