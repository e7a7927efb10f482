#!/usr/bin/env python3
"""An upstream that checks signatures and does nothing else: the second, independent judge of what Countersign sends.

It shares no code with Countersign or with ingo-sandbox and needs only Python's standard library. Run it as an upstream:

    verifier.py --port 0 --cert server.pem --key server.key --username demo --secret-file hmac.key
    verifier.py --port 0 --plain --username demo --secret-file hmac.key --api-key-file key --place body

It prints `verifier ready: PORT`, then answers each request with 200 {"verified": true, "body_sha256": ...,
"received": N} or 401 {"verified": false, "why": ...}. A request that is not well-formed HTTP/1.1 gets 400 and the
connection ends. `GET /_count` (unsigned) gives {"good": .., "bad": .., "connections": ..}. One trailing newline of a
secret file is dropped.

Relies on: the signing rule of Ingo's authentication guide and Kong's hmac-auth (request line as received, other lines
`name: value` in the order of the list, joined by LF). Refuses: anything that a lenient reader could read in two ways.
"""

import argparse
import base64
import binascii
import calendar
import hashlib
import hmac
import json
import re
import signal
import socket
import ssl
import sys
import threading
import time

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
WINDOW = 300
IDLE_SECONDS = 120

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.1\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
AUTHORIZATION = re.compile(
    rb'hmac username="([^"]*)", algorithm="([^"]*)", headers="([^"]*)", signature="([^"]*)"\Z')
DATE = re.compile(
    rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) "
    rb"(\d\d):(\d\d):(\d\d) GMT\Z")
DAYS = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"]
MONTHS = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"]
ALGORITHMS = {b"hmac-sha512": hashlib.sha512, b"hmac-sha256": hashlib.sha256}
MUST_BE_SIGNED = (b"request-line", b"content-type", b"content-sha512", b"content-length")


class Refused(Exception):
    """The request was read, and is not acceptable."""


class Malformed(Exception):
    """The bytes are not one well-formed request; nothing behind them can be trusted."""


class Request:
    """One request as received: the line and the header fields as bytes, in order."""

    def __init__(self, line, method, target, fields):
        self.line, self.method, self.target, self.fields = line, method, target, fields
        self.body = b""

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name]

    def once(self, name):
        values = self.values(name)
        if len(values) != 1:
            raise Refused(f"{name.decode()} occurs {len(values)} times, not once")
        return values[0]


class Reader:
    """Reads requests from one connection; bytes behind a request stay for the next."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()

    def _more(self):
        chunk = self.connection.recv(65536)
        self.buffer += chunk
        return bool(chunk)

    def head(self):
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if len(self.buffer) > MAX_HEAD:
                raise Malformed("head too long")
            if not self._more():
                if self.buffer:
                    raise Malformed("connection ended inside a head")
                return None
        if end > MAX_HEAD:
            raise Malformed("head too long")
        raw = bytes(self.buffer[:end])
        del self.buffer[:end + 4]
        return parse_head(raw)

    def body(self, length):
        while len(self.buffer) < length:
            if not self._more():
                raise Malformed("connection ended inside a body")
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        return body


def parse_head(raw):
    lines = raw.split(b"\r\n")
    match = REQUEST_LINE.match(lines[0])
    if not match:
        raise Malformed("request line")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Malformed("header line")
        fields.append((name, value.strip(b" \t")))
    return Request(lines[0], match[1], match[2], fields)


def body_length(request):
    """Framing comes first: without it, what follows on the connection cannot be read."""
    if request.values(b"transfer-encoding"):
        raise Malformed("transfer-encoding: a signed request has a content-length")
    lengths = request.values(b"content-length")
    if len(lengths) > 1:
        raise Malformed("content-length occurs more than once")
    if not lengths:
        return 0
    if not re.fullmatch(rb"0|[1-9][0-9]{0,11}", lengths[0]) or int(lengths[0]) > MAX_BODY:
        raise Malformed("content-length is not a plain number in range")
    return int(lengths[0])


def check_date(text, now):
    match = DATE.match(text)
    if not match:
        raise Refused("date is not in the RFC 1123 form")
    day, year, hour, minute, second = (int(match[i]) for i in (2, 4, 5, 6, 7))
    month = MONTHS.index(match[3]) + 1
    if hour > 23 or minute > 59 or second > 60 or not 1 <= day <= calendar.monthrange(max(year, 1), month)[1]:
        raise Refused("date does not exist")
    if DAYS[calendar.weekday(max(year, 1), month, day)] != match[1]:
        raise Refused("weekday does not fit the date")
    if abs(calendar.timegm((year, month, day, hour, minute, second)) - now) > WINDOW:
        raise Refused("date is more than 300 s off")


def strict_base64(text, size, what):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{what} is not base64") from None
    if base64.b64encode(raw) != text:
        raise Refused(f"{what} is not canonical base64")
    if len(raw) != size:
        raise Refused(f"{what} decodes to {len(raw)} bytes, not {size}")
    return raw


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise Refused("the body repeats a member name")
    return dict(pairs)


class Verifier:
    """The rule, with one program's credentials."""

    def __init__(self, username, secret, algorithm, api_key, place):
        self.username, self.secret, self.algorithm = username, secret, algorithm
        self.api_key, self.place = api_key, place

    def check(self, request, now):
        """Raises Refused with the first reason found."""
        if request.values(b"request-line"):
            raise Refused("a real header is called request-line")
        if request.values(b"proxy-authorization"):
            raise Refused("proxy-authorization is read before authorization")
        host = request.once(b"host")
        if not host:
            raise Refused("host is empty")
        match = AUTHORIZATION.match(request.once(b"authorization"))
        if not match:
            raise Refused("authorization is not in the agreed form")
        username, algorithm, listed, signature = match.groups()
        if username != self.username:
            raise Refused("username is not the program's")
        if algorithm != self.algorithm or algorithm not in ALGORITHMS:
            raise Refused("algorithm is not the program's")
        names = self.check_list(listed)
        self.check_content(request)
        for name in (b"x-date", b"date"):
            if name in names:
                check_date(request.once(name), now)
        self.check_signature(request, names, algorithm, signature)
        self.check_api_key(request)

    @staticmethod
    def check_list(listed):
        names = listed.split(b" ")
        if len(names) != len(set(names)):
            raise Refused("the signed list repeats a name")
        for name in names:
            if not TOKEN.match(name) or name != name.lower():
                raise Refused("the signed list is not lower-case names with one space between")
        for name in MUST_BE_SIGNED:
            if name not in names:
                raise Refused(f"{name.decode()} is not signed")
        if b"x-date" not in names and b"date" not in names:
            raise Refused("no date is signed")
        return names

    @staticmethod
    def check_content(request):
        if request.once(b"content-length") != str(len(request.body)).encode():
            raise Refused("content-length is not the body's")
        if request.once(b"content-type") != b"application/json":
            raise Refused("content-type is not exactly application/json")
        digest = strict_base64(request.once(b"content-sha512"), 64, "content-sha512")
        if digest != hashlib.sha512(request.body).digest():
            raise Refused("content-sha512 is not the body's")

    def check_signature(self, request, names, algorithm, signature):
        lines = []
        for name in names:
            if name == b"request-line":
                lines.append(request.line)
                continue
            values = request.values(name)
            if len(values) > 1:
                raise Refused(f"signed header {name.decode()} occurs {len(values)} times")
            lines.append(name + b": " + values[0] if values else name + b":")
        digest = ALGORITHMS[algorithm]
        given = strict_base64(signature, digest().digest_size, "signature")
        if not hmac.compare_digest(given, hmac.new(self.secret, b"\n".join(lines), digest).digest()):
            raise Refused("signature does not match")

    def check_api_key(self, request):
        place = self.place
        header = request.values(b"api_key")
        if place in ("header", "both"):
            if len(header) != 1 or header[0] != self.api_key:
                raise Refused("header api_key is not the program's, once")
        elif header:
            raise Refused("header api_key is not expected")
        if place == "none":
            return
        key = self.api_key.decode()
        try:
            document = json.loads(request.body, object_pairs_hook=no_duplicates)
        except (ValueError, RecursionError):
            if place == "header":
                return
            raise Refused("the body is not JSON") from None
        if place == "header":
            if isinstance(document, dict) and document.get("api_key", key) != key:
                raise Refused("body api_key contradicts the header")
            return
        pointer = "/api_key" if place in ("body", "both") else place
        self.check_pointer(document, pointer, key)

    @staticmethod
    def check_pointer(document, pointer, key):
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        for part in parents:
            if not isinstance(document, dict) or part not in document:
                return  # Nothing is inserted where the parent object is absent.
            document = document[part]
        if not isinstance(document, dict) or document.get(last) != key:
            raise Refused(f"{pointer} is not the program's key")


class Service:
    """Listens, counts, and answers."""

    def __init__(self, verifier, tls):
        self.verifier, self.tls = verifier, tls
        self.lock = threading.Lock()
        self.counts = {"good": 0, "bad": 0, "connections": 0}

    def count(self, what):
        with self.lock:
            self.counts[what] += 1
            return self.counts["good"]

    def connection(self, raw):
        self.count("connections")
        raw.settimeout(IDLE_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = raw
        try:
            if self.tls:
                connection = self.tls.wrap_socket(raw, server_side=True)
            self.requests(connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def requests(self, connection):
        reader = Reader(connection)
        while True:
            try:
                request = reader.head()
                if request is None:
                    return
                request.body = reader.body(body_length(request))
            except Malformed as problem:
                self.count("bad")
                self.answer(connection, 400, {"verified": False, "why": str(problem)}, close=True)
                return
            close = b"close" in [value.lower() for value in request.values(b"connection")]
            status, content = self.judge(request)
            self.answer(connection, status, content, close)
            if close:
                return

    def judge(self, request):
        if request.method == b"GET" and request.target == b"/_count":
            with self.lock:
                return 200, dict(self.counts)
        try:
            self.verifier.check(request, int(time.time()))
        except Refused as problem:
            self.count("bad")
            return 401, {"verified": False, "why": str(problem)}
        received = self.count("good")
        return 200, {
            "verified": True, "body_sha256": hashlib.sha256(request.body).hexdigest(), "received": received}

    @staticmethod
    def answer(connection, status, content, close):
        body = json.dumps(content).encode()
        reason = {200: "OK", 400: "Bad Request", 401: "Unauthorized"}[status]
        head = [f"HTTP/1.1 {status} {reason}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        if status == 401:
            head.append("WWW-Authenticate: hmac")
        if close:
            head.append("Connection: close")
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def read_secret(path):
    with open(path, "rb") as file:
        secret = file.read()
    secret = secret[:-1] if secret.endswith(b"\n") else secret
    if not secret:
        sys.exit(f"verifier: {path} is empty")
    return secret


def arguments():
    parser = argparse.ArgumentParser(description="Verifies signed requests; see the head of this file.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--plain", action="store_true", help="no TLS")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--username", required=True)
    parser.add_argument("--secret-file", required=True)
    parser.add_argument("--api-key-file")
    parser.add_argument("--place", default="none", help="header, body, both, none or a JSON pointer")
    parser.add_argument("--algorithm", default="hmac-sha512", choices=["hmac-sha512", "hmac-sha256"])
    given = parser.parse_args()
    if not given.plain and not (given.cert and given.key):
        parser.error("--cert and --key, or --plain")
    if given.place not in ("header", "body", "both", "none") and not given.place.startswith("/"):
        parser.error("--place is header, body, both, none or a JSON pointer")
    if given.place != "none" and not given.api_key_file:
        parser.error("--place needs --api-key-file")
    return given


def main():
    given = arguments()
    tls = None
    if not given.plain:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.set_alpn_protocols(["http/1.1"])
        tls.load_cert_chain(given.cert, given.key)
    api_key = read_secret(given.api_key_file) if given.api_key_file else b""
    verifier = Verifier(
        given.username.encode(), read_secret(given.secret_file), given.algorithm.encode(), api_key, given.place)
    service = Service(verifier, tls)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    listener = socket.create_server((given.bind, given.port), backlog=1024)
    print(f"verifier ready: {listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=service.connection, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
