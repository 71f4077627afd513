"""How soon the review page of a case shows something, and how soon it answers edits.

``python -m benchmarks.review CASE`` asks the server as the page does, on a copy of the case. One
number is a ratio in the same run: an answer against reading the same state without a change.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np

N_EDITS = 50
SHIFT_MM = 0.5
READY_S = 15.0
"""The page makes changes ready while somebody looks at the first pictures."""


class Asker:
    """Asks the page's server."""

    def __init__(self, address: str) -> None:
        self._root, _, token = address.partition("/?token=")
        self._token = {"X-Guidegen-Token": token, "Content-Type": "application/json"}

    def get(self, path: str) -> bytes:
        with urlopen(Request(self._root + path, headers=self._token)) as answer:
            return bytes(answer.read())

    def post(self, path: str, told: dict) -> dict:
        data = json.dumps(told).encode()
        with urlopen(Request(self._root + path, data, self._token)) as answer:
            return json.load(answer)


def first_picture(asker: Asker, state: dict) -> None:
    """What the page asks for before anybody sees a screw: its planes, and the bones."""
    path = (state["paths"] or state["cuts"])[0]
    middle = path.get("entry_mm") or path["origin_mm"]
    centre = ",".join(f"{n:.3f}" for n in middle)
    for right, down in (("1,0,0", "0,1,0"), ("1,0,0", "0,0,-1"), ("0,1,0", "0,0,-1")):
        asked = f"centre={centre}&right={right}&down={down}&w=346&h=316&step=0.3"
        asker.get(f"/api/slice?{asked}")


def edit_times(asker: Asker, state: dict) -> tuple[list[float], list[float]]:
    """Seconds of each edit, and of the same state without one, in turn."""
    edits, states = [], []
    for n in range(N_EDITS):
        path = state["paths"][n % len(state["paths"])]
        shift = SHIFT_MM if n // len(state["paths"]) % 2 == 0 else -SHIFT_MM
        moved = {k: [path[k][0] + shift, *path[k][1:]] for k in ("entry_mm", "tip_mm")}
        told = {"revision": state["revision"], "by": "benchmark", "item": path["name"]}
        start = time.perf_counter()
        state = asker.post("/api/edit", {**told, "change": moved})
        edits.append(time.perf_counter() - start)
        start = time.perf_counter()
        state = json.loads(asker.get("/api/case"))
        states.append(time.perf_counter() - start)
    return edits, states


def main(case: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(case, Path(place) / Path(case).name)
        command = [sys.executable, "-m", "guidegen", "review", str(copy), "--no-browser"]
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            asker = Asker(process.stdout.readline().strip())
            served = time.perf_counter() - start
            state = json.loads(asker.get("/api/case"))
            first_picture(asker, state)
            pictured = time.perf_counter() - start - served
            time.sleep(READY_S)
            edits, states = edit_times(asker, state)
            process.terminate()
    late = np.percentile(edits, 95)
    print(f"server answers after          {served:6.2f} s")
    print(f"state and three slices after  {pictured:6.2f} s more")
    print(f"edit, median and 95 %         {np.median(edits):6.3f} {late:6.3f} s, of {len(edits)}")
    print(f"edit / state without a change {np.median(edits) / np.median(states):6.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
