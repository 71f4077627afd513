"""Nobody but the page itself gets in."""

import pytest
from starlette.testclient import TestClient

from guidegen.review.app import Page
from guidegen.review.guard import HEADER, MAX_BODY_BYTES, Door
from guidegen.review.session import Session
from tests.unit.review.conftest import PORT

ASKED = ["/api/case", "/api/work", "/api/mesh/bone/L3", "/file/plan.json", "/"]
ORDERS = ["/api/edit", "/api/undo", "/api/redo", "/api/approve", "/api/preview", "/api/build"]


@pytest.fixture
def stranger(planned):
    page = Page(Session(planned), Door(PORT), lambda: None)
    return TestClient(page.app(), base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)


@pytest.mark.parametrize("path", ASKED)
def test_no_token(stranger, path):
    assert stranger.get(path).status_code == 403
    assert stranger.get(path, headers={HEADER: "x" * 32}).status_code == 403
    assert stranger.get(path, params={"token": "wrong"}).status_code == 403


@pytest.mark.parametrize("path", ORDERS)
def test_no_order_without_a_token(stranger, planned, path):
    before = (planned / "plan.json").read_bytes()
    told = {"revision": 1, "by": "X", "item": "L3_left", "change": {"diameter_mm": 5.0}}
    assert stranger.post(path, json=told).status_code == 403
    assert (planned / "plan.json").read_bytes() == before
    assert not (planned / "approval.json").exists()


def test_tokens_differ_and_are_long():
    doors = [Door(PORT) for _ in range(5)]
    assert len({door.token for door in doors}) == 5
    assert all(len(door.token) >= 32 for door in doors)


def test_the_address_becomes_a_cookie(tab):
    tab.client.headers.pop(HEADER)
    answer = tab.get(tab.door.address)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert tab.get("/api/work").status_code == 200
    tab.client.cookies.set(tab.door.cookie, "wrong")
    tab.client.cookies.clear()
    assert tab.get("/api/work").status_code == 403


def test_the_token_in_an_address_opens_the_page_alone(stranger, tab):
    token = {"token": tab.door.token}
    tab.client.headers.pop(HEADER)
    assert tab.get("/api/case", params=token).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null", "https://127.0.0.1:43210"]
)
def test_another_origin(tab, origin):
    before = tab.session.plan
    answer = tab.client.post(
        "/api/edit",
        json={"revision": 1, "by": "X", "item": "L3_left", "change": {"diameter_mm": 5.0}},
        headers={"Origin": origin},
    )
    assert answer.status_code == 403
    assert tab.session.plan is before
    own = tab.get("/api/work", headers={"Origin": f"http://127.0.0.1:{PORT}"})
    assert own.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:43210", "127.0.0.1:80", ""])
def test_another_host(tab, host):
    """A name that somebody else lets lead to this computer (DNS rebinding) opens nothing."""
    assert tab.get("/api/case", headers={"Host": host}).status_code == 403
    assert tab.get("/api/work", headers={"Host": f"localhost:{PORT}"}).status_code == 200


def test_a_body_that_is_too_large(tab):
    answer = tab.client.post("/api/edit", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    chunks = (b"x" * 1000 for _ in range(3))
    assert tab.client.post("/api/edit", content=chunks).status_code == 413
    both = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    assert tab.client.post("/api/edit", content=b"x" * 5, headers=both).status_code == 413
    assert tab.client.post("/api/edit", content=b"x" * 1000).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"\xff", b"[" * 200_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_object(tab, body):
    before = tab.session.folder.plan.read_bytes()
    for path in ("/api/edit", "/api/import", "/api/approve"):
        answer = tab.client.post(path, content=body)
        assert answer.status_code == 400 and "JSON object" in answer.json()["error"]
    assert tab.session.folder.plan.read_bytes() == before


@pytest.mark.parametrize(
    "path",
    [
        *("/file/../case.toml", "/file/%2e%2e/%2e%2e/etc/passwd", "/file//etc/passwd"),
        *("/file/bones/../../other", "/file/.hidden", "/file/log.txt", "/file/nothing"),
        *("/static/../session.py", "/static/%2e%2e/app.py"),
    ],
)
def test_no_path_leads_out_of_the_case(tab, path):
    (tab.session.folder.root / ".hidden").write_text("secret")
    (tab.session.folder.root / "log.txt").write_text("secret")
    answer = tab.get(path)
    assert answer.status_code in (404, 403)
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["part/../plan.json", "part/plan.json", "bone/L9", "odd/L3"])
def test_no_surface_that_is_none(tab, name):
    assert tab.get(f"/api/mesh/{name}").status_code in (404, 422)


def test_every_answer_is_sealed(tab):
    for path in ("/api/case", "/file/report.html", "/api/nothing"):
        headers = tab.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in tab.get("/api/case").headers["content-security-policy"]
    assert "sandbox" in tab.get("/file/report.html").headers["content-security-policy"]
