"""What the sandbox's tests are made of: a third signer, a strict peer, and the processes under test.

Relies on Python's standard library and on the binaries in COUNTERSIGN_BIN_DIR (default: the debug build).
"""

import base64
import email.utils
import hashlib
import hmac
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("COUNTERSIGN_BIN_DIR", HERE.parent.parent / ".build" / "debug"))
STANDARD = "request-line x-date content-type content-sha512 content-length"
SECRET, NEXT, LEGACY, KEY = b"first secret", b"second secret", b"legacy secret", "key-1"
DIGESTS = {"hmac-sha512": hashlib.sha512, "hmac-sha256": hashlib.sha256}


def sha512(body):
    return base64.b64encode(hashlib.sha512(body).digest()).decode()


def sign(secret, line, values, names=STANDARD, algorithm="hmac-sha512"):
    """The signature over `names`; `values` maps lower-case header names to values."""
    lines = [line if name == "request-line" else f"{name}: {values[name]}" if name in values else f"{name}:"
             for name in names.split(" ")]
    mac = hmac.new(secret, "\n".join(lines).encode(), DIGESTS[algorithm])
    return base64.b64encode(mac.digest()).decode()


class Signed:
    """A request that is right in every way; a test bends one thing and looks at what becomes of it."""

    def __init__(self, path="/api/v4/balance/user", body=b"{}", method="POST", **options):
        body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        self.line, self.body = f"{method} {path} HTTP/1.1", body
        self.secret = options.get("secret", SECRET)
        self.username = options.get("username", "acme")
        self.algorithm = options.get("algorithm", "hmac-sha512")
        self.names = options.get("names", STANDARD)
        when = time.time() + options.get("offset", 0)
        self.values = {
            "host": "sandbox.localhost", "x-date": email.utils.formatdate(when, usegmt=True),
            "content-type": "application/json", "content-sha512": sha512(body), "content-length": str(len(body)),
            "api_key": KEY}
        self.values |= options.get("headers", {})
        self.extra = []

    def authorization(self):
        signature = sign(self.secret, self.line, self.values, self.names, self.algorithm)
        return (f'hmac username="{self.username}", algorithm="{self.algorithm}", headers="{self.names}", '
                f'signature="{signature}"')

    def bytes(self, authorization=None, body=None):
        if authorization is None:
            authorization = self.authorization()
        fields = [f"{name}: {value}" for name, value in self.values.items() if value is not None]
        fields += ["Authorization: " + authorization] if authorization else []
        head = "\r\n".join([self.line] + fields + self.extra) + "\r\n\r\n"
        return head.encode() + (self.body if body is None else body)


class Ended(Exception):
    """The connection ended before an answer was complete."""


class Peer:
    """A connection whose answers are read as strictly as they are written."""

    def __init__(self, port, authority=None, name="localhost"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if authority:
            context = ssl.create_default_context(cafile=authority)
            context.set_alpn_protocols(["http/1.1"])
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise Ended(self.buffer)
        self.buffer += chunk

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        part, _, self.buffer = self.buffer.partition(mark)
        return part

    def exactly(self, count):
        while len(self.buffer) < count:
            self.more()
        part, self.buffer = self.buffer[:count], self.buffer[count:]
        return part

    def head(self):
        line, *fields = self.until(b"\r\n\r\n").decode().split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1", line
        return int(status), [tuple(field.split(": ", 1)) for field in fields]

    def answer(self):
        status, fields = self.head()
        if status < 200:
            return status, fields, b""
        named = {name.lower(): value for name, value in fields}
        if named.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
            assert self.exactly(2) == b"\r\n"
            return status, fields, body
        return status, fields, self.exactly(int(named["content-length"]))

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, data):
        self.send(data)
        status, _, body = self.answer()
        return status, json.loads(body)


class Programs:
    """The processes under test, started once."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        (self.path / "programs").write_bytes(
            b"# two programs\nusername = acme\nsecret = " + SECRET + b"\nnext_secret = " + NEXT
            + f"\napi_key = {KEY}\nparticipant_id = 12345\n\nusername = old\nalgorithm = hmac-sha256\n".encode()
            + b"secret = " + LEGACY + f"\napi_key = {KEY}\nparticipant_id = 777\n".encode())
        (self.path / "secret").write_bytes(SECRET + b"\n")
        (self.path / "key").write_bytes(KEY.encode())
        self.state = self.path / "state"
        self.running = []
        self.sandbox = self.start_sandbox("--state-dir", self.state, "--kyc-polls", "2")
        self.authority = str(self.state / "ca.pem")
        self.verifier = self.start(
            [sys.executable, HERE / "verifier.py", "--cert", self.state / "server.pem", "--key",
             self.state / "server.key", "--username", "acme", "--secret-file", self.path / "secret",
             "--api-key-file", self.path / "key", "--place", "header"])[1]

    def start(self, command):
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        line = process.stdout.readline()
        assert "ready: " in line, line
        return process, int(line.split(" ca=")[0].rstrip().split(":")[-1])

    def start_sandbox(self, *options):
        return self.start(
            [BIN / "ingo-sandbox", "--port", "0", "--credentials", self.path / "programs", *options])[1]

    def stop(self):
        for process in self.running:
            process.terminate()
        codes = [process.wait(timeout=10) for process in self.running]
        for process in self.running:
            process.stdout.close()
        self.folder.cleanup()
        return codes
