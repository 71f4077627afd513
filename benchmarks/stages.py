"""One whole case in one process: seconds of each stage and the largest memory by its end."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.child import peak_mb
from guidegen.export.approval import approve
from guidegen.export.folder import open_case
from guidegen.export.order import Order
from guidegen.flow import build_case, plan_case


class Stopwatch:
    """Listens to the flow's progress and notes when one stage ends and the next starts."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float]] = []
        self._name, self._since = "start", time.perf_counter()

    def __call__(self, text: str, share: float) -> None:
        """Take progress."""
        name = text.split(": ")[0]
        if name != self._name:
            self.close()
            self._name = name

    def close(self) -> None:
        """End the stage that runs."""
        now = time.perf_counter()
        self.rows.append((self._name, now - self._since, peak_mb()))
        self._since = now


def main(procedure: str, source: str, out: str, levels: str, lowest_level: str) -> None:
    """Plan, approve, build."""
    watch = Stopwatch()
    order = Order(
        procedure,
        Path(source),
        Path(out),
        levels=levels or None,
        lowest_level=lowest_level or None,
    )
    plan = plan_case(order, watch)
    approve(open_case(Path(out)), "benchmark", unattended=True)
    report = build_case(Path(out), watch)
    watch.close()
    failed = [f"{f.code} {f.subject}: {f.value:g}" for f in report.findings if not f.passed]
    result = {"rows": watch.rows[1:], "paths": len(plan.paths), "failed": failed}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
