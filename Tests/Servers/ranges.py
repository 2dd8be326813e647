"""A server of one folder for tests: it has range requests, and misbehaves as the path asks.

    python3 ranges.py FOLDER        prints its port, then, as they come, a line for each request: path, range, status, bytes of the body

`/MODE/NAME` serves NAME in a mode: plain, whole (no ranges), cut (ends connections half-way), cut-once (every other time), long (sends more than
was asked for), other-range, short-total (says that the file is shorter), long-total, no-length, changes (another ETag and content each time),
gzip, circle (redirects to itself), hop (redirects once), gone-later-N (the place that hop leads to is good for two requests, then answers 403), busy (503 twice, then fine), flip
(one bit of a body is wrong), missing, forbidden, empty-redirect, slow (a while for each request; prints `together N`, how many run at the time),
login (401 without an Authorization), away and away-login (redirect to plain or login by another name of this host). Each request that has an
Authorization prints `authorized HOST PATH VALUE`.
"""

import gzip
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
counts: dict[str, int] = {}
running: set[int] = set()


lock = threading.Lock()


def count(key: str) -> int:
    with lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]


def say(*words: object) -> None:
    with lock:
        print(*words, flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sent = 0

    def log_message(self, *_: object) -> None:
        pass

    def note(self, status: int) -> None:
        say(self.path, self.headers.get("Range", "-"), status, self.sent, self.client_address[1])

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.sent = len(body)
        self.note(status)

    def do_GET(self) -> None:
        self.sent = 0
        _, mode, name = self.path.split("/", 2)
        authorization = self.headers.get("Authorization")
        if authorization:
            say("authorized", self.headers["Host"].split(":")[0], self.path, authorization)
        if mode == "missing":
            return self.answer(404, {}, b"no such file")
        if mode == "forbidden":
            return self.answer(403, {}, b"no")
        if mode == "circle":
            return self.answer(302, {"Location": self.path})
        if mode == "login" and not authorization:
            return self.answer(401, {"WWW-Authenticate": 'Basic realm="here"'}, b"who are you?")
        if mode in ("away", "away-login"):
            there = "login" if mode == "away-login" else "plain"
            return self.answer(302, {"Location": f"http://localhost:{server.server_port}/{there}/{name}"})
        if mode == "slow":
            running.add(threading.get_ident())
            say("together", len(running))
            time.sleep(0.4)
            running.discard(threading.get_ident())
        if mode == "empty-redirect":
            return self.answer(302, {})
        if mode == "hop":
            return self.answer(302, {"Location": f"/gone-later-{count('hop')}/{name}"})
        if mode.startswith("gone-later") and count(mode) > 2:
            return self.answer(403, {}, b"this link was good for a while")
        if mode == "busy" and count("busy") <= 2:
            return self.answer(503, {}, b"later")
        data = (FOLDER / name).read_bytes()
        tag = '"v1"'
        if mode == "changes":
            tag = f'"v{count("changes")}"'
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if mode == "whole" or asked is None or (condition is not None and condition != tag):
            return self.answer(200, {"ETag": tag}, data)
        first, last = int(asked[1]), min(int(asked[2]), len(data) - 1)
        if first > last:
            return self.answer(416, {"Content-Range": f"bytes */{len(data)}"})
        body = data[first : last + 1]
        total = len(data) + {"short-total": -1000, "long-total": 1000}.get(mode, 0)
        headers = {"ETag": tag, "Content-Range": f"bytes {first}-{last}/{total}"}
        if mode == "other-range":
            headers["Content-Range"] = f"bytes {first + 1}-{last + 1}/{total}"
        if mode == "no-range-header":
            del headers["Content-Range"]
        if mode == "gzip":
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        if mode == "flip":
            # In what a tensor has, not in the index.
            body = body[:-1] + bytes([body[-1] ^ 1]) if len(body) >= 1 << 19 else body
        if mode == "cut" or (mode == "cut-once" and count("cut-once") % 2 == 1):
            # Every try of `cut` brings something at first, then nothing any more.
            part = len(body) // 2 if mode == "cut-once" or count("cut") <= 2 else 0
            self.answer(206, headers, body[:part], len(body))
            self.close_connection = True
            return None
        if mode == "long":
            return self.answer(206, headers, body + b"more than was asked for")
        return self.answer(206, headers, body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
