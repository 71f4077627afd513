"""Who may talk to the page: this computer, with the token, from the page itself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_000_000
"""No change, approval or markup file is larger (engineering choice)."""
HEADER = "x-guidegen-token"
OPEN = ("/static/",)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox"
)
"""Of the report: it brings its style and pictures and runs nothing."""


@dataclass(frozen=True)
class Door:
    """The address of one run of the server.

    Args:
        port: On 127.0.0.1.
        token: New for every run; whoever has it may use the page.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def hosts(self) -> tuple[str, str]:
        """What a request may call this server."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies do not tell ports apart, and two cases may be open."""
        return f"guidegen_{self.port}"

    @property
    def address(self) -> str:
        """What the browser opens."""
        return f"http://{self.hosts[0]}/?token={self.token}"

    def refusal(self, scope: Scope) -> str:
        """Why a request is not let in; "" where it is."""
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self.hosts:
            return "this page answers only to 127.0.0.1: open the address that was printed"
        origin = headers.get("origin")
        if origin is not None and origin not in [f"http://{host}" for host in self.hosts]:
            return "another page asked: only the review page itself may"
        if headers.get("sec-fetch-site") == "cross-site" and scope["path"] != "/":
            return "another page asked: only the review page itself may"
        if scope["path"].startswith(OPEN) or self._known(scope, headers):
            return ""
        return "the token is missing or wrong: open the address that 'guidegen review' printed"

    def _known(self, scope: Scope, headers: Headers) -> bool:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        given = [headers.get(HEADER, ""), query if scope["path"] == "/" else ""]
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie:
                given.append(value)
        return any(secrets.compare_digest(g.encode(), self.token.encode()) for g in given if g)


class Guarded:
    """Asks the door before the page, keeps bodies small, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer why not."""
        if scope["type"] != "http":
            return
        why = self._door.refusal(scope)
        headers = Headers(scope=scope)
        in_pieces = "transfer-encoding" in headers  # overrules a length, and has no end to check
        length = "" if in_pieces else headers.get("content-length", "0")
        if why:
            answer = JSONResponse({"error": why}, 403)
            await answer(scope, receive, self._sealed(scope, send))
        elif not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            answer = JSONResponse(
                {"error": "that is more than 1 MB: nothing so large is sent"}, 413
            )
            await answer(scope, receive, self._sealed(scope, send))
        else:
            await self._app(scope, receive, self._sealed(scope, send))

    def _sealed(self, scope: Scope, send: Send) -> Send:
        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_file = scope["path"].startswith("/file/")
                headers["Content-Security-Policy"] = FILE_POLICY if is_file else PAGE_POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["X-Frame-Options"] = "DENY"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                if not scope["path"].startswith(OPEN):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return sealed
