"""The live page: a run folder's page on this machine's loopback, made anew when the folder has changed."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from vidnas.errors import UserError
from vidnas.report.pages.render import render_run
from vidnas.runs.files import told_of
from vidnas.runs.read import read_run

HOST = "127.0.0.1"


class LivePage:
    """The page of a run folder, kept until a file in the folder changes. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._tag = ""
        self._page = b""

    def current(self) -> tuple[str, bytes]:
        """A tag of the folder's state, and its page; UserError where the folder is no run any more."""
        with self._lock:
            # Before reading: what changes while the page is made is seen the next time.
            tag = folder_tag(self._folder)
            if tag != self._tag:
                page = render_run(read_run(self._folder), live=True).encode()
                self._tag, self._page = tag, page
            return self._tag, self._page


def folder_tag(folder: Path) -> str:
    """Changes when a file changes of which the page tells."""
    digest = hashlib.sha256()
    for path in told_of(folder):
        with suppress(FileNotFoundError):  # renamed since
            state = path.stat()
            digest.update(os.fsencode(f"{path}\n{state.st_size} {state.st_mtime_ns}\n"))
    return f'"{digest.hexdigest()[:32]}"'


@contextmanager
def serving(folder: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of the folder's page on loopback, port 0 taking any free one; UserError if it is taken."""
    page = LivePage(folder)

    class Handler(_Handler):
        current = staticmethod(page.current)

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except (OSError, OverflowError) as error:
        cause = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise UserError(
            f"Cannot serve on port {port}: {cause}. Choose another with --port, or 0 for any."
        ) from error
    with server:
        yield server


class _Handler(BaseHTTPRequestHandler):
    """Answers / with the page, or that it is unchanged."""

    current: Callable[[], tuple[str, bytes]]

    def do_GET(self) -> None:
        # A page elsewhere on the net whose name was made to mean this machine must not read the run.
        if self.headers.get("Host", "").partition(":")[0] not in (HOST, "localhost"):
            self._answer(HTTPStatus.FORBIDDEN, b"This page is for this machine only.\n")
        elif urlsplit(self.path).path != "/":
            self._answer(HTTPStatus.NOT_FOUND, b"There is only / here.\n")
        else:
            self._answer_page()

    do_HEAD = do_GET

    def _answer_page(self) -> None:
        try:
            tag, page = self.current()
        except UserError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n".encode(errors="replace"))
            return
        if self.headers.get("If-None-Match") == tag:
            self._answer(HTTPStatus.NOT_MODIFIED, b"", tag)
        else:
            self._answer(HTTPStatus.OK, page, tag, "text/html; charset=utf-8")

    def _answer(
        self, status: HTTPStatus, body: bytes, tag: str = "", kind: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # the reader has gone
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests every two seconds are not worth a line each."""
