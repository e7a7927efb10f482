#!/usr/bin/env python3
"""Overloads a paced gateway of four workers for a while and lets the sandbox count what arrives (see scripts/limits).

Every caller asks again as soon as it is answered, or a moment after it was refused: there is always more to do than the
pace allows. Counted at the sandbox: requests at once, and requests that begin in any second. A violation is more than the
pace allows, an answer that is neither 200 nor 429, a 429 without a Retry-After of at least 1, or a request whose signature
is not right. Prints one line of JSON; the status is 1 where a rule was broken or less than 95 % of the pace was used.

The sandbox sees a request up to some ms after it was sent, so a second there may hold what was sent in a little more than
one: SLACK_SECONDS at the rate are allowed for it, and told.

Relies on: Linux, Python 3.11, the built commands. Stops what it started, by its process id.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

SLACK_SECONDS = 0.02
WORKERS = 4
# How long a refused caller waits: so many callers times its inverse is how often the gateway refuses.
PAUSE_SECONDS = 0.05
PATH = "/api/v4/balance/user"
BODY = b'{"user_id":"user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"}'
REQUEST = (f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
           f"Content-Length: {len(BODY)}\r\n\r\n").encode() + BODY
CONFIGURATION = """listeners:
  - {{name: apps, bind: "127.0.0.1:0"}}
workers: {workers}
credentials:
  demo:
    username: demo
    secret: "file:{folder}/secret"
    api_key: {{value: "file:{folder}/api_key", place: header}}
upstreams:
  sandbox:
    url: "http://127.0.0.1:{port}"
    pace: {{rate: {rate}/s, burst: {burst}, concurrency: {concurrency}, queue: {queue}, max_wait: 10s}}
routes:
  - {{name: all, prefix: /api/v4, upstream: sandbox, credential: demo}}
"""


class Failure(Exception):
    """The run cannot go on; one sentence for the operator."""


class Account:
    """What the callers were told."""

    def __init__(self):
        self.statuses = Counter()
        self.wrong = Counter()
        self.waits = []


async def caller(port, account, until):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.monotonic() < until:
            begin = time.monotonic()
            writer.write(REQUEST)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
            await reader.readexactly(int(fields["content-length"]))
            status = int(head.split(" ")[1])
            account.statuses[status] += 1
            if status == 200:
                account.waits.append(time.monotonic() - begin)
            elif status == 429:
                if int(fields.get("retry-after", "0")) < 1:
                    account.wrong["429 without Retry-After"] += 1
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                account.wrong[f"status {status}"] += 1
    except (OSError, asyncio.IncompleteReadError, ValueError, KeyError) as error:
        account.wrong[f"no whole answer: {type(error).__name__}"] += 1
    finally:
        # A reset: what still waits is given up at once.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()


async def load(port, account, options):
    """Runs the callers; what still waits at the end is cut off."""
    until = time.monotonic() + options.seconds
    tasks = [asyncio.create_task(caller(port, account, until)) for _ in range(options.callers)]
    await asyncio.wait(tasks, timeout=options.seconds)


def on_cpu(pid):
    """On-CPU seconds of all threads."""
    ran = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            ran += int(file.read().split()[0])
    return ran / 1e9


def start(command, stream, marker, environment=None):
    """Starts a program; gives it and the line by which it says that it is ready."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, env=environment,
                               stdout=subprocess.PIPE if stream == "output" else subprocess.DEVNULL,
                               stderr=subprocess.PIPE if stream == "errors" else None)
    for line in process.stdout if stream == "output" else process.stderr:
        if marker in line:
            return process, line
        print(line, end="", file=sys.stderr)
    raise Failure(f"{command[0]} ended at its start")


def control(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/_sandbox/{path}", data)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def run(folder, options, started):
    for name, text in (("secret", "demo-secret-not-for-production"), ("api_key", "demo-api-key")):
        path = Path(folder) / name
        path.write_text(text + "\n", encoding="ascii")
        path.chmod(0o600)
    sandbox, line = start([f"{options.bin}/ingo-sandbox", "--plain", "--port", "0"], "output", "ready: ")
    started.append(sandbox)
    upstream = int(line.split()[2].rpartition(":")[2])
    control(upstream, "misbehave", {"path": "*", "what": f"delay={options.delay}ms", "times": 1_000_000_000})
    configuration = Path(folder) / "countersign.yaml"
    configuration.write_text(CONFIGURATION.format(
        workers=WORKERS, folder=folder, port=upstream, rate=options.rate, burst=options.burst,
        concurrency=options.concurrency, queue=options.callers // 2), encoding="ascii")
    gateway, line = start([f"{options.bin}/countersign", "run", "--config", configuration], "errors", '"ready"')
    started.append(gateway)
    port = int(json.loads(line)["listeners"][0].rpartition(":")[2])
    account = Account()
    before, begin = on_cpu(gateway.pid), time.monotonic()
    asyncio.run(load(port, account, options))
    counts, elapsed = control(upstream, "counts"), time.monotonic() - begin
    cpu = on_cpu(gateway.pid) - before
    gateway.send_signal(signal.SIGTERM)
    if gateway.wait(20) != 0:
        account.wrong["the gateway did not end in order"] += 1
    return figures(account, counts, elapsed, cpu, options)


def figures(account, counts, elapsed, cpu, options):
    most = options.burst + options.rate
    told = math.floor(options.burst + options.rate * (1 + SLACK_SECONDS))
    if counts["concurrent_max"] > options.concurrency:
        account.wrong["more at once than the pace has"] = counts["concurrent_max"] - options.concurrency
    if counts["per_second_max"] > told:
        account.wrong["more in a second than the pace has"] = counts["per_second_max"] - told
    if counts["refused"] or counts["malformed"]:
        account.wrong["not verified"] = counts["refused"] + counts["malformed"]
    allowed = options.burst + options.rate * elapsed
    if counts["requests"] > math.floor(options.burst + options.rate * (elapsed + SLACK_SECONDS)):
        account.wrong["more in all than the pace has"] = counts["requests"] - math.floor(allowed)
    refused = account.statuses[429]
    waits = sorted(account.waits) or [0]
    return {
        "workers": WORKERS, "callers": options.callers, "seconds": round(elapsed, 1), "rate": options.rate,
        "burst": options.burst, "concurrency": options.concurrency, "delay_ms": options.delay,
        "violations": sum(account.wrong.values()), "wrong": dict(account.wrong),
        "sent": counts["requests"], "used": round(counts["requests"] / allowed, 4), "refused": refused,
        "concurrent_max": counts["concurrent_max"], "per_second_max": counts["per_second_max"],
        "per_second_allowed": most, "slack_ms": SLACK_SECONDS * 1e3,
        "wait_p50_s": round(waits[len(waits) // 2], 3), "wait_max_s": round(waits[-1], 3),
        "gateway_cpu_s": round(cpu, 3), "cpu_us_per_refused": round(cpu * 1e6 / max(1, refused), 1)}


def arguments():
    parser = argparse.ArgumentParser(description="A paced gateway under overload, counted at the sandbox.")
    parser.add_argument("--bin", required=True, help="the folder of the built commands")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--callers", type=int, default=200, help="connections; half as many may wait")
    parser.add_argument("--rate", type=int, default=5, help="calls per second")
    parser.add_argument("--burst", type=int, help="default: the concurrency")
    parser.add_argument("--concurrency", type=int, default=5)
    parser.add_argument("--delay", type=int, help="ms of each answer; default: 60 %% of what rate and concurrency bear")
    given = parser.parse_args()
    if min(given.seconds, given.callers, given.rate, given.concurrency) <= 0:
        parser.error("numbers are above 0")
    given.burst = given.burst or given.concurrency
    if given.delay is None:
        given.delay = int(600 * given.concurrency / given.rate)
    return given


def main():
    options = arguments()
    started = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            result = run(folder, options, started)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
    print(json.dumps(result), flush=True)
    return 0 if result["violations"] == 0 and result["used"] >= 0.95 else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"limits: {failure}")
