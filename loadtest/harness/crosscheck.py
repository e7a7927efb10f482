"""Our generator beside h2load --h1: the same target and connections, throughput and median latency within a bound.

The generator has the peers' processor to itself; the upstream, and where there is one the limit program, share the
other, so that these decide how fast answers come and not the program that counts them.
"""

import os
import statistics
import subprocess

from .load import generator
from .peers import Peer
from .processes import before_exec, elapsed, say
from .scenarios import Scenario
from .settings import LOAD_CPU, MEASURED, OUT, PATH, PEER_CPU, UPSTREAM, Failure
from .upstreams import start_slow_upstream

# Largest difference of throughput and of median latency, as a share of h2load's.
BOUND = 0.20
CASES = (
    Scenario("limit", "the limit program and its upstream on one processor, 64 connections"),
    Scenario("slow", "an upstream that answers after 75 ms, 64 connections", upstream="slow"),
)


def h2load(port, scenario, seconds):
    body, log = OUT / "h2load-body", OUT / "h2load.tsv"
    body.write_bytes(b'{"v":"' + b"x" * (scenario.bytes - 8) + b'"}')
    log.unlink(missing_ok=True)
    command = ["h2load", "--h1", "-t", "1", "-c", str(scenario.connections), "-D", str(seconds), "--warm-up-time", "1",
               "-d", body, "-H", "content-type: application/json", "--log-file", log,
               f"http://127.0.0.1:{port}{PATH}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False,
                          preexec_fn=before_exec({PEER_CPU}))
    rows = [line.split("\t") for line in log.read_text().splitlines()] if log.exists() else []
    if done.returncode or not rows or any(row[1] != "200" for row in rows):
        raise Failure(f"h2load: {done.stdout[-300:]} {done.stderr[-300:]}")
    return {"requests_per_second": len(rows) / seconds, "p50": statistics.median(int(row[2]) for row in rows)}


def ours(port, scenario, seconds):
    said = generator(f"http://127.0.0.1:{port}", scenario, seconds, cpu=PEER_CPU)
    return {"requests_per_second": said["requests"] / seconds, "p50": said["latency_us"]["p50"]}


def difference(rounds, key):
    """Median over rounds of how far ours lies above h2load's, as a share of h2load's."""
    return statistics.median(entry["generator"][key] / entry["h2load"][key] for entry in rounds) - 1


def run_cross_check(rounds, seconds):
    results = {}
    for scenario in CASES:
        if scenario.upstream == "slow":
            target, port = start_slow_upstream(), UPSTREAM["slow"]
        else:
            target, port = Peer("limit", MEASURED, UPSTREAM["plain"], scenario), MEASURED
            os.sched_setaffinity(target.pid, {LOAD_CPU})
        entries = [{"generator": ours(port, scenario, seconds), "h2load": h2load(port, scenario, seconds)}
                   for _ in range(rounds)]
        target.stop()
        differences = {key: difference(entries, key) for key in ("requests_per_second", "p50")}
        results[scenario.key] = {
            "title": scenario.title, "rounds": entries, "differences": differences,
            "problems": [f"{key} differs by {value:+.0%}; {BOUND:.0%} are allowed"
                         for key, value in differences.items() if abs(value) > BOUND]}
        say(f"[{elapsed():4.0f} s] CROSS-CHECK {scenario.key}: " + "  ".join(
            f"{name} {entries[-1][name]['requests_per_second']:,.0f}/s, p50 {entries[-1][name]['p50']:.0f} us"
            for name in ("generator", "h2load"))
            + "; differences of medians: " + ", ".join(f"{key} {value:+.1%}" for key, value in differences.items()))
    return results
