"""The upstreams: nginx that answers at once or late, and the verifiers. Relies on settings for ports."""

import subprocess
import sys
from pathlib import Path

from .processes import Started
from .settings import (ANSWER_BYTES, API_KEY, LOAD_CPU, LOADTEST, OUT, ROOT, SECRET, SLOW_MILLISECONDS, UPSTREAM,
                       USERNAME, VERIFIER, WRONG_SECRET)


def fill(template, name, **values):
    """Writes a template with its @WORDS@ filled in, and gives its path."""
    text = (LOADTEST / template).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = OUT / name
    path.write_text(text, encoding="utf-8")
    return path


def prepare():
    """Secrets, a certificate, and the network namespace's own settings."""
    OUT.mkdir(exist_ok=True)
    for name, text in (("secret", SECRET), ("api_key", API_KEY), ("store_key", SECRET), ("wrong_secret", WRONG_SECRET)):
        path = OUT / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o600)
    if not (OUT / "server.pem").exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
             "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
             OUT / "server.key", "-out", OUT / "server.pem"], check=True, capture_output=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    system = Path("/proc/sys/net/ipv4")
    # Other congestion controls pace loopback. Ports above those that peers listen on, and soon again after their use.
    (system / "tcp_congestion_control").write_text("reno", encoding="ascii")
    (system / "ip_local_port_range").write_text("20000 65535", encoding="ascii")
    (system / "tcp_tw_reuse").write_text("1", encoding="ascii")
    Path("/proc/sys/net/core/somaxconn").write_text("4096", encoding="ascii")


def answer():
    """JSON of ANSWER_BYTES bytes."""
    start, end = '{"status":"success","message":"ok","data":{"id":"ltra-', '"}}'
    return start + "a" * (ANSWER_BYTES - len(start) - len(end)) + end


def start_upstream():
    config = fill(
        "upstream/nginx.conf.in", "nginx.conf", OUT=OUT, PLAIN=UPSTREAM["plain"], TLS=UPSTREAM["tls"],
        PLAIN_READING=UPSTREAM["reading"], ANSWER=answer())
    return Started("nginx", ["nginx", "-e", OUT / "nginx.log", "-c", config], {LOAD_CPU}, UPSTREAM["plain"])


def start_slow_upstream():
    config = fill("upstream/slow.conf.in", "slow.conf", OUT=OUT, PORT=UPSTREAM["slow"],
                  SECONDS=SLOW_MILLISECONDS / 1000, ANSWER=answer(), ANSWER_BYTES=ANSWER_BYTES)
    return Started("slow", ["nginx", "-e", OUT / "slow.log", "-c", config], {LOAD_CPU}, UPSTREAM["slow"])


def start_verifier(tls, place="header", program="Tests/Verifier/verifier.py"):
    """The independent verifier, or `program`, which takes the same arguments."""
    port = VERIFIER["tls" if tls else "plain"]
    way = ["--cert", OUT / "server.pem", "--key", OUT / "server.key"] if tls else ["--plain"]
    return Started(
        "verifier", [sys.executable, ROOT / program, "--port", port, *way, "--username", USERNAME, "--secret-file",
                     OUT / "secret", "--api-key-file", OUT / "api_key", "--place", place], {LOAD_CPU}, port)
