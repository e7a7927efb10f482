#!/usr/bin/python3
"""Runs the load test in a network namespace of its own (see scripts/load) and writes JSON, Markdown and a page of HTML.

Each scenario starts the upstream and all peers, checks several hundred signatures of every peer with the independent
verifier, and then measures the peers in alternation (A B C A B C). What is compared is CPU time per request: on-CPU
nanoseconds of all threads of the peer (schedstat) per answer. A run with a non-2xx answer or a socket error fails.

Relies on: root, Linux, wrk, haproxy, nginx with Lua. Refuses: the host's own network namespace. Stops what it started,
by its process id, also on an error or a signal, and never runs longer than MAX_SECONDS and its soak.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import correct, crosscheck, idle, latency, measure, peers, report, soak, upstreams  # noqa: E402
from harness.processes import elapsed, raise_limits, say, stop_all  # noqa: E402
from harness.scenarios import ALL, BY_KEY  # noqa: E402
from harness.settings import ROOT, Failure  # noqa: E402

# Seconds after which a run is ended, beside what a soak takes.
MAX_SECONDS = 2 * 3600
QUICK = ("W1", "W2", "W3", "U1", "F1", "C5")
QUICK_PEERS = ("limit", "haproxy", "nginx", "countersign")


def arguments(words=None):
    keys = [scenario.key for scenario in ALL]
    parser = argparse.ArgumentParser(
        description="CPU time, latency and memory of signed requests, beside the peers.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="scenarios:\n" + "\n".join(f"  {scenario.key:4} {scenario.title}" for scenario in ALL)
        + "\n\nWithout --only and --quick, --correct, --cross-check and --soak run alone; else after the scenarios.")
    parser.add_argument("--quick", action="store_true",
                        help=f"under three minutes: {','.join(QUICK)}, 2 rounds of 1 s, peers {','.join(QUICK_PEERS)}")
    parser.add_argument("--rounds", type=int, help="rounds of each scenario, 1 to 100 (default 5)")
    parser.add_argument("--seconds", type=int, help="seconds of each measurement, 1 to 60 (default 4)")
    parser.add_argument("--only", help="scenarios, comma-separated, or all (default)")
    parser.add_argument("--peers",
                        help=f"comma-separated (default {','.join(peers.PEERS)}); another name NAME runs the gateway "
                             "at $COUNTERSIGN_NAME as countersign, bare-NAME as bare")
    parser.add_argument("--correct", action="store_true",
                        help="the upstream verifies every signature and counts every key under load")
    parser.add_argument("--cross-check", action="store_true", help="our generator beside h2load --h1")
    parser.add_argument("--soak", type=int, nargs="?", const=600, metavar="SECONDS",
                        help="memory and descriptors under a steady load, 20 to 86400 s (default 600)")
    given = parser.parse_args(words)
    alone = given.only is None and (given.correct or given.cross_check or given.soak is not None)
    given.rounds = given.rounds if given.rounds is not None else (2 if given.quick else 5)
    given.seconds = given.seconds if given.seconds is not None else (1 if given.quick else 4)
    if given.only == "all" or given.only is None and not given.quick:
        given.only = [] if alone else keys
    else:
        given.only = given.only.split(",") if given.only else list(QUICK)
    given.peers = given.peers.split(",") if given.peers else list(QUICK_PEERS if given.quick else peers.PEERS)
    for key in given.only:
        if key not in BY_KEY:
            parser.error(f"--only: no scenario {key}; there are {', '.join(keys)}")
    if not 1 <= given.rounds <= 100 or not 1 <= given.seconds <= 60:
        parser.error("--rounds is 1 to 100, --seconds 1 to 60")
    if given.soak is not None and not 20 <= given.soak <= 86400:
        parser.error("--soak is 20 to 86400 seconds")
    return given


def versions():
    def first(*command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return "not there"
        return ((done.stdout + done.stderr).splitlines() or [""])[0]
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                if line.startswith("model name")), "unknown")
    return {"commit": first("git", "-C", str(ROOT), "rev-parse", "HEAD"), "kernel": os.uname().release,
            "processors": f"{os.cpu_count()} x {cpu}", "haproxy": first("haproxy", "-v"), "nginx": first("nginx", "-v"),
            "wrk": first("wrk", "-v"), "h2load": first("h2load", "--version"), "openssl": first("openssl", "version")}


def run_scenario(scenario, options, upstream):
    """Rounds and summary of one scenario."""
    names = scenario.chosen(options.peers)
    if scenario.kind == "open":
        result = latency.run_open(scenario, names, options, upstream)
    elif scenario.kind == "idle":
        result = idle.run_idle(scenario, names, options)
    else:
        result = measure.run_closed(scenario, names, options)
    return {"title": scenario.title, "kind": scenario.kind, "bytes": scenario.bytes, "base": scenario.base, **result,
            "summary": report.summarize(scenario.kind, result["rounds"], scenario.base)}


def attempt(done, key, upstream, body):
    """What `body` gives, or nothing: what fails is noted and ends nothing but itself, since a whole run takes long."""
    try:
        return body()
    except Failure as failure:
        done["failures"][key] = str(failure)
        say(f"[{elapsed():4.0f} s] {key} FAILED: {failure}")
        stop_all(but=upstream)
        return None


def run_all(options, upstream, descriptors, done):
    """The scenarios in order, then the modes that were asked for; the report is written after each."""
    gateways = [name for name in options.peers if name not in ("limit", "haproxy", "nginx")] or ["countersign"]
    for key in options.only:
        scenario = BY_KEY[key].fitted(descriptors)
        result = attempt(done, key, upstream, lambda: run_scenario(scenario, options, upstream))
        if result:
            done["scenarios"][key] = result
        report.write(done)
    modes = {
        "correct": (options.correct, lambda: correct.run_correct(options.peers, options.seconds)),
        "cross_check": (options.cross_check,
                        lambda: crosscheck.run_cross_check(min(options.rounds, 3), options.seconds)),
        "soak": (options.soak, lambda: soak.run_soak(gateways[0], options.soak))}
    for key, (wanted, body) in modes.items():
        if wanted and (result := attempt(done, key, upstream, body)):
            done[key] = result
        report.write(done)


def guard(options):
    """What must hold before anything is started; a bound on the time. Gives how many descriptors are allowed."""
    if len(Path("/proc/net/route").read_text(encoding="ascii").splitlines()) > 1:
        raise Failure("run scripts/load: this network has routes, so it is not a namespace of its own")
    if (os.cpu_count() or 1) < 2:
        raise Failure("two processors are needed")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, lambda number, _: sys.exit(f"load: ended by signal {number}"))
    signal.alarm(MAX_SECONDS + (options.soak or 0))
    return raise_limits()


def main():
    options = arguments()
    descriptors = guard(options)
    upstreams.prepare()
    upstream = upstreams.start_upstream()
    done = {"versions": versions(), "rounds": options.rounds, "seconds": options.seconds, "scenarios": {},
            "failures": {}, "sizes": peers.sizes(options.peers)}
    run_all(options, upstream, descriptors, done)
    say(report.markdown(done))
    say(f"[{elapsed():4.0f} s] report.json, report.md and report.html are in loadtest/out")
    if problems := report.problems(done):
        raise Failure("the run FAILED:\n  " + "\n  ".join(problems))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"load: {failure}")
    except KeyboardInterrupt:
        sys.exit("load: interrupted")
    finally:
        stop_all()
