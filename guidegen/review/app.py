"""What the page may ask, and what it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from guidegen.console import sentence_of
from guidegen.errors import GuidegenError, InputError, NotApproved
from guidegen.export.manifest import case_files
from guidegen.export.markups import markups_of
from guidegen.handover import WHAT, taken_up
from guidegen.model.plan import Plan
from guidegen.review.drawn import Drawn
from guidegen.review.guard import Door, Guarded
from guidegen.review.jobs import Jobs
from guidegen.review.session import Session, Stale
from guidegen.review.slices import Frame
from guidegen.review.state import state_of

STATIC = Path(str(resources.files("guidegen.review"))) / "static"
STALE = "the plan was changed elsewhere: the page shows it as it is now, your change was not made"
LONGEST_NAME = 80
BINARY = "application/octet-stream"


class Page:
    """The answers to the page of one case."""

    def __init__(self, session: Session, door: Door, stop: Callable[[], None]) -> None:
        self._session = session
        self._jobs = Jobs(session)
        self._drawn = Drawn(session, self._jobs)
        self._door = door
        self._stop = stop

    def app(self) -> Any:
        """The whole as an ASGI application, behind its door."""
        asked = {
            "/api/case": self._case,
            "/api/work": self._work,
            "/api/slice": self._slice,
            "/api/picture": self._picture,
            "/api/mesh/{kind}/{name:path}": self._mesh,
        }
        told = {
            "/api/edit": self._edit,
            "/api/undo": self._undo,
            "/api/redo": self._redo,
            "/api/approve": self._approve,
            "/api/preview": self._preview,
            "/api/build": self._build,
            "/api/import": self._import,
            "/api/stop": self._stopped,
        }
        routes = [
            Route("/", self._index),
            *(Route(path, _asked(answer)) for path, answer in asked.items()),
            *(Route(path, _told(answer), methods=["POST"]) for path, answer in told.items()),
            Route("/file/{name:path}", _asked(self._file)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        app = Starlette(routes=routes)
        app.router.redirect_slashes = False
        return Guarded(app, self._door)

    async def _index(self, request: Request) -> Response:
        """The page itself; the token goes into a cookie, so that the address can lose it."""
        answer: Response = FileResponse(STATIC / "index.html")
        if "token" in request.query_params:
            answer = RedirectResponse("/", 303)
            answer.set_cookie(
                self._door.cookie, self._door.token, httponly=True, samesite="strict", path="/"
            )
        return answer

    def _state(self) -> Response:
        return JSONResponse(state_of(self._session, work=self._jobs.told()))

    def _case(self, request: Request) -> Response:
        return self._state()

    def _work(self, request: Request) -> Response:
        return JSONResponse(self._jobs.told())

    def _slice(self, request: Request) -> Response:
        frame = Frame.read(request.query_params)
        return Response(self._drawn.slice(frame), media_type=BINARY)

    def _mesh(self, request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        return Response(self._drawn.mesh(kind, name), media_type=BINARY)

    def _picture(self, request: Request) -> Response:
        return Response(self._drawn.picture(request.query_params), media_type="image/jpeg")

    def _file(self, request: Request) -> Response:
        """A file of the case, by its name in the case's own list: no path leads out of it."""
        name = request.path_params["name"]
        if name != "manifest.json" and name not in case_files(self._session.folder):
            return JSONResponse({"error": "the case has no such file"}, 404)
        shown = name.endswith((".html", ".json"))
        way = "inline" if shown else "attachment"
        path = self._session.folder.root / name
        return FileResponse(path, filename=path.name, content_disposition_type=way)

    def _edit(self, told: Mapping[str, Any]) -> Response:
        start = time.perf_counter()
        item, change = told.get("item"), told.get("change")
        if not isinstance(item, str) or not isinstance(change, dict) or not change:
            raise InputError("an edit wants an item and a change")
        if told.get("keep", True):
            self._jobs.require_still()
            self._session.change(_revision(told), _by(told), item, change)
            state = state_of(self._session, work=self._jobs.told())
        else:
            state = state_of(self._session, self._session.tried(item, change))
        state["took_ms"] = round(1000 * (time.perf_counter() - start), 1)
        return JSONResponse(state)

    def _undo(self, told: Mapping[str, Any]) -> Response:
        self._jobs.require_still()
        self._session.undo(_revision(told), _by(told))
        return self._state()

    def _redo(self, told: Mapping[str, Any]) -> Response:
        self._jobs.require_still()
        self._session.redo(_revision(told), _by(told))
        return self._state()

    def _approve(self, told: Mapping[str, Any]) -> Response:
        self._jobs.require_still()
        accepted = told.get("accepted")
        if not isinstance(accepted, list) or not all(isinstance(key, str) for key in accepted):
            raise InputError("an approval wants the list of the warnings that are accepted")
        confirm = str(told.get("confirm", ""))
        self._session.approve(_revision(told), _by(told), tuple(accepted), confirm)
        self._jobs.report()
        return self._state()

    def _preview(self, told: Mapping[str, Any]) -> Response:
        self._jobs.preview(str(told.get("bone", "")))
        return JSONResponse(self._jobs.told(), 202)

    def _build(self, told: Mapping[str, Any]) -> Response:
        self._jobs.build()
        return JSONResponse(self._jobs.told(), 202)

    def _import(self, told: Mapping[str, Any]) -> Response:
        """Take a markup file of 3D Slicer up, as ``guidegen import`` does."""
        self._jobs.require_still()
        name, content = told.get("file"), told.get("content")
        if not isinstance(name, str) or not isinstance(content, dict):
            raise InputError("a markup file wants its name and its content")
        bench = self._session.loaded().bench
        markups = markups_of(content, Path(name).name[:LONGEST_NAME])

        def taken(plan: Plan) -> Plan:
            return taken_up(bench, plan, markups)[0]

        self._session.replaced(_revision(told), _by(told), WHAT, taken)
        return self._state()

    def _stopped(self, told: Mapping[str, Any]) -> Response:
        self._stop()
        return JSONResponse({"stopped": True})


def _asked(answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """An answer to a question, made in a thread; what goes wrong is one sentence."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_guarded, lambda: answer(request))

    return endpoint


def _told(answer: Callable[[Mapping[str, Any]], Response]) -> Callable[[Request], Any]:
    """An answer to an order, whose body is a JSON object."""

    async def endpoint(request: Request) -> Response:
        try:
            told = await request.json()
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            return JSONResponse({"error": "a JSON object was expected"}, 400)
        return await run_in_threadpool(_guarded, lambda: answer(told))

    return endpoint


def _guarded(answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except Stale:
        return JSONResponse({"error": STALE}, 409)
    except NotApproved as error:
        return JSONResponse({"error": sentence_of(error)}, 403)
    except GuidegenError as error:
        return JSONResponse({"error": sentence_of(error)}, 422)
    except Exception as error:
        return JSONResponse({"error": sentence_of(error)}, 500)


def _revision(told: Mapping[str, Any]) -> int:
    found = told.get("revision")
    if not isinstance(found, int) or isinstance(found, bool):
        raise InputError("every change says which revision of the plan it was made on")
    return found


def _by(told: Mapping[str, Any]) -> str:
    found = told.get("by")
    return found if isinstance(found, str) and len(found) <= 200 else ""
