"""Children of a batch that hang, crash, eat memory or kill their worker, by the name of the case.

The product knows nothing of it: a ``sitecustomize.py`` on PYTHONPATH is run by every Python that a
worker starts. It also puts the ball (``tests.fake_procedure``) among their procedures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = """
import os, signal, sys, time
argv = list(sys.orig_argv)
if argv[1:4] == ["-m", "guidegen", "batch"]:
    from guidegen.procedures.registry import PROCEDURES
    from tests.fake_procedure import BallProcedure
    PROCEDURES["ball"] = BallProcedure()
if "guidegen.batch.child" in argv:
    parent = int(argv[argv.index("guidegen.batch.child") + 1])
    out = argv[argv.index("--out") + 1] if "--out" in argv else "none"
    name = os.path.basename(os.path.dirname(out) if out.endswith("scan") else out)
    trick = name.split("_")[0]
    if trick == "hangs":
        time.sleep(600)
    elif trick == "slow":
        time.sleep(3)
    elif trick == "forks":
        import subprocess
        subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        time.sleep(600)
    elif trick == "crashes":
        os.abort()
    elif trick == "quits":
        sys.stderr.write("Traceback\\nModuleNotFoundError: No module named guidegen\\n")
        os._exit(1)
    elif trick == "lies":
        os._exit(0)
    elif trick == "eats":
        eaten = bytearray(600_000_000)
        eaten[::4096] = b"x" * len(eaten[::4096])
        time.sleep(600)
    elif trick == "shot":
        os.kill(os.getpid(), signal.SIGKILL)
    elif trick == "kills":
        os.kill(parent, signal.SIGKILL)
        time.sleep(600)
    else:
        from guidegen.procedures.registry import PROCEDURES
        from tests.fake_procedure import BallProcedure
        PROCEDURES["ball"] = BallProcedure()
"""


def lay(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Put the tricks where children find them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(SITE)
    before = os.environ.get("PYTHONPATH")
    paths = [str(folder), str(ROOT), *([before] if before else [])]
    patch.setenv("PYTHONPATH", os.pathsep.join(paths))
