"""How a command ended becomes an outcome; only the program itself can refuse."""

import json
import signal

import pytest

from guidegen.batch.answer import answer_of
from guidegen.batch.process import Ended
from guidegen.batch.result import CRASHED, DONE, FAILED, KILLED, MEMORY, NOT_RUN, REFUSED


def ended(code, told="", log=""):
    output = told if isinstance(told, str) else json.dumps(told)
    return answer_of(Ended(code, "", 1.0, output), log)


def error(kind, message="L3 is cut off: scan more"):
    return {"command": "run", "exit": 1, "error": {"type": kind, "message": message}}


CHECK = {"code": "min_wall", "subject": "guides/L3.stl", "value": 1.25, "limit": 2.0}
CHECK |= {"sense": "at_least", "unit": "mm", "passed": False}


def test_done():
    assert ended(0, {"command": "run", "checks": []}) == (DONE, "")


@pytest.mark.parametrize("kind", ["AnatomyError", "IncompleteSeries", "InputError", "PlanError"])
def test_a_refusal_says_why(kind):
    assert ended(1, error(kind)) == (REFUSED, "L3 is cut off: scan more")


def test_not_approved_is_a_refusal_too():
    assert ended(3, error("NotApproved", "not approved"))[0] == REFUSED


def test_failed_checks():
    told = {"checks": [CHECK, CHECK | {"passed": True}, CHECK]}
    wanted = "min_wall of guides/L3.stl is 1.25, wanted at least 2 mm, and 1 more"
    assert ended(2, told) == (FAILED, wanted)
    assert "is no number, wanted" in ended(2, {"checks": [CHECK | {"value": None}]})[1]


def test_nothing_made_says_why_nothing_was_planned():
    bare = ended(2, {"checks": []})
    assert bare == (FAILED, "nothing was made that could be checked")
    plan = {"paths": [], "skipped": [{"name": "L1_left", "message": "no straight way"}]}
    assert ended(2, {"checks": [], "plan": plan}) == (
        FAILED,
        "nothing could be made: no straight way",
    )


@pytest.mark.parametrize("code", [0, 1, 2, 3])
@pytest.mark.parametrize("told", ["", "[]", "no json", '{"command": '])
def test_a_code_without_an_answer_is_a_crash(code, told):
    outcome, reason = ended(code, told, "Traceback\nModuleNotFoundError: No module named x\n")
    assert outcome == CRASHED and f"code {code}" in reason


def test_usage_errors_have_a_sentence_alone():
    log = "[  0%] read\nguidegen: No such option: --bogus\n"
    assert ended(1, "", log) == (REFUSED, "No such option: --bogus")
    assert ended(1, "", log + "Segmentation fault\n")[0] == CRASHED


def test_a_bug_is_a_crash():
    told = error("KeyError", "this is a bug in guidegen (KeyError): run again with -v")
    assert ended(1, told) == (CRASHED, told["error"]["message"])


@pytest.mark.parametrize("code", [2, 4, -200])
def test_a_refusal_has_a_refusals_code(code):
    assert ended(code, error("InputError"))[0] == CRASHED


def test_memory():
    assert ended(1, error("MemoryError", "out of memory")) == (MEMORY, "out of memory")


@pytest.mark.parametrize("message", ["the disk is full: free some", "x can't be written (y): z"])
def test_a_disk_that_can_not_be_written_says_nothing_of_the_case(message):
    assert ended(1, error("InputError", message)) == (NOT_RUN, message)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_ended_from_outside(name):
    assert ended(-getattr(signal, name, 9))[0] == KILLED


def test_interrupted_with_others_from_the_keyboard():
    assert ended(1, error("KeyboardInterrupt", "stopped"))[0] == KILLED


@pytest.mark.parametrize("code", [-int(signal.SIGSEGV), -int(signal.SIGABRT), -200, 134])
def test_other_signals_are_crashes(code):
    outcome, reason = ended(code)
    assert outcome == CRASHED
    assert ("SIG" in reason) == (code in (-int(signal.SIGSEGV), -int(signal.SIGABRT)))
