"""A review page on the ball's case, asked as the browser asks it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from guidegen.review.app import Page
from guidegen.review.guard import HEADER, Door
from guidegen.review.session import Session

PORT = 43210


@dataclass
class Asker:
    """A browser's tab: it knows the token and remembers the plan's revision."""

    session: Session
    door: Door
    stopped: list[bool] = field(default_factory=list)
    revision: int = 0

    def __post_init__(self) -> None:
        page = Page(self.session, self.door, lambda: self.stopped.append(True))
        self.client = TestClient(
            page.app(), base_url=f"http://127.0.0.1:{self.door.port}", follow_redirects=False
        )
        self.client.headers[HEADER] = self.door.token

    def get(self, path, **options):
        return self.client.get(path, **options)

    def state(self):
        told = self.get("/api/case").json()
        self.revision = told["revision"]
        return told

    def post(self, path, **told):
        whole = {"revision": self.revision, "by": "A. Surgeon", **told}
        answer = self.client.post(path, json=whole)
        if answer.status_code == 200 and "revision" in answer.json():
            self.revision = answer.json()["revision"]
        return answer

    def edit(self, change, item="L3_left", **told):
        return self.post("/api/edit", item=item, change=change, **told)

    def wait(self):
        for _ in range(600):
            work = self.get("/api/work").json()
            if not work["running"]:
                return work
            time.sleep(0.05)
        raise AssertionError("the work does not end")


@pytest.fixture
def tab(planned):
    asker = Asker(Session(planned), Door(PORT))
    asker.state()
    return asker


@pytest.fixture
def other_tab(tab):
    asker = Asker(tab.session, tab.door)
    asker.client = tab.client
    asker.state()
    return asker
