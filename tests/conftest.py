"""Fixtures for all tests."""

import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update`` rewrites golden numbers; read the diff before you commit it."""
    parser.addoption("--update", action="store_true", help="rewrite golden numbers")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real test data; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real test data (../shared/data) is not on this machine")
    return SHARED


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """True if golden numbers are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture
def ball(monkeypatch: pytest.MonkeyPatch):
    """A fake procedure in the registry: one screw through a ball of bone."""
    from guidegen.procedures.registry import PROCEDURES
    from tests.fake_procedure import BallProcedure

    procedure = BallProcedure()
    monkeypatch.setitem(PROCEDURES, "ball", procedure)
    return procedure


@pytest.fixture(scope="session")
def ball_ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NIfTI CT of a ball of bone; its name must never reach a case folder."""
    from guidegen.export.nifti import write_ct
    from tests.fake_procedure import ball_volume

    path = tmp_path_factory.mktemp("scan") / "Mustermann_Erika.nii.gz"
    write_ct(path, ball_volume())
    return path


@pytest.fixture(scope="session")
def planned_once(tmp_path_factory: pytest.TempPathFactory, ball_ct: Path) -> Path:
    """A planned case of the ball, to be copied."""
    from guidegen.export.order import Order
    from guidegen.flow import plan_case
    from guidegen.procedures.registry import PROCEDURES
    from tests.fake_procedure import BallProcedure

    out = tmp_path_factory.mktemp("planned") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROCEDURES, "ball", BallProcedure())
        plan_case(Order("ball", ball_ct, out))
    return out


@pytest.fixture
def planned(tmp_path: Path, planned_once: Path, ball: object) -> Path:
    """A planned case of the ball that the test may change."""
    return Path(shutil.copytree(planned_once, tmp_path / "demo"))


@pytest.fixture(scope="session")
def phantom_case(tmp_path_factory: pytest.TempPathFactory):
    """Scan and plan (and build) phantoms; each wish is made once a session."""
    from tests.validation.cases import built, planned

    place = tmp_path_factory.mktemp("phantom_cases")

    def make(wish, build: bool = False):
        case = planned(wish, place)
        return built(case) if build else case

    return make
