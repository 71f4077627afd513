"""A command of guidegen that ends with the process that started it.

``python -m guidegen.batch.child PARENT_PID COMMAND...``: where a worker is killed, the case it
was at must not go on unseen.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time

import psutil

LOOK_S = 1.0
ORPHANED = 137


def _end_with(parent: int) -> None:
    """End this process as soon as its parent is gone."""
    first = os.getppid()
    while psutil.pid_exists(parent) and os.getppid() == first:
        time.sleep(LOOK_S)
    os._exit(ORPHANED)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    sys.argv = ["guidegen", *sys.argv[2:]]
    runpy.run_module("guidegen", run_name="__main__")
