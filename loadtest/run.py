#!/usr/bin/env python3
"""Runs the load test in a network namespace of its own (see scripts/load) and writes JSON and a Markdown table.

Each scenario starts the upstream and all peers, checks several hundred signatures of every peer with the independent
verifier, and then measures the peers in alternation (A B C A B C). What is compared is CPU time per request: on-CPU
nanoseconds of all threads of the peer (schedstat) per answer. A run with a non-2xx answer or a socket error fails.

Relies on: root, Linux, wrk, haproxy, nginx. Refuses: the host's own network namespace. Stops what it started, by its
process id, also on an error or a signal, and never runs longer than MAX_SECONDS.
"""

import argparse
import base64
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = HERE / "out"
PEER_CPU, LOAD_CPU = 0, 1
MAX_SECONDS = 1800
USERNAME, API_KEY = "loadtest", "key-0123456789abcdef"
SECRET = base64.b64encode(bytes(range(48))).decode()
UPSTREAM = {"plain": 18080, "tls": 18443, "reading": 18081}
VERIFIER = {"plain": 18090, "tls": 18453}
PEERS = ("limit", "haproxy", "countersign")
# The gateway with idempotency keys, by the kind of its store. "off" is the same gateway without.
STORES = {"off": None, "memory": "{kind: memory}", "sqlite": "{kind: sqlite, path: @OUT@/keys.db, key: \"file:@OUT@/store_key\"}"}
# The gateway with limits that nothing reaches: what looking costs. "off" as above.
QUOTA = "quotas:\n  - {name: each, per: [caller, route], rate: 1000000/s, burst: 1000000}"
PACE = "{rate: 1000000/s, burst: 1000000, concurrency: 10000, queue: 10000}"
QUOTAS = {"quota": QUOTA, "quota+pace": QUOTA}
PACES = {"pace": PACE, "quota+pace": PACE}
# The gateway with its access log in a file. The others, and the peers, write none.
LOGS = {"log-off": "{requests: off}", "log-file": "{path: @OUT@/access.log}"}
SCENARIOS = {
    "W1": {"title": "215-byte POST, 64 connections, plain upstream", "bytes": 215, "upstream": "plain"},
    "W2": {"title": "215-byte POST, 64 connections, TLS 1.3 upstream", "bytes": 215, "upstream": "tls"},
    "W3": {"title": "64 KiB POST, 64 connections, plain upstream", "bytes": 65536, "upstream": "reading"},
    "I1": {"title": "215-byte POST with an idempotency key of its own, 64 connections, plain upstream", "bytes": 215,
           "upstream": "plain", "keys": True, "peers": tuple(STORES)},
    "Q1": {"title": "215-byte POST within a quota and a pace that are never reached, 64 connections, plain upstream",
           "bytes": 215, "upstream": "plain", "peers": ("off", "quota", "pace", "quota+pace")},
    "L1": {"title": "215-byte POST, 64 connections, plain upstream, access log", "bytes": 215, "upstream": "plain",
           "peers": tuple(LOGS)},
}
CONNECTIONS = 64
started = []


class Failure(Exception):
    """The run cannot go on; one sentence for the operator."""


# --- processes

def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def start(name, command, cpu, port, env=None):
    log = open(OUT / f"{name}.log", "wb")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pin(cpu), env=env)
    process.log_name = name
    started.append(process)
    wait_for(process, port)
    return process


def wait_for(process, port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if process.poll() is not None:
            text = (OUT / f"{process.log_name}.log").read_text(errors="replace")[-600:]
            raise Failure(f"{process.log_name} ended at its start: {text}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failure(f"{process.log_name} does not listen on {port}")


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process in started:
        started.remove(process)


def on_cpu(pid):
    """On-CPU and waiting-for-CPU nanoseconds of all threads."""
    ran = waited = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            one = file.read().split()
        ran += int(one[0])
        waited += int(one[1])
    return ran, waited


def busy():
    """Busy ticks of all processors."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(part) for part in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4]


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    return 0


# --- what is started

def fill(template, name, **values):
    text = (HERE / template).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = OUT / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def prepare():
    OUT.mkdir(exist_ok=True)
    for name, text in (("secret", SECRET), ("api_key", API_KEY), ("store_key", SECRET)):
        path = OUT / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o600)
    if not (OUT / "server.pem").exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
             "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
             OUT / "server.key", "-out", OUT / "server.pem"], check=True, capture_output=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text("reno", encoding="ascii")


def start_upstream():
    start_text, end = '{"status":"success","message":"ok","data":{"id":"ltra-', '"}}'
    answer = start_text + "a" * (404 - len(start_text) - len(end)) + end
    config = fill(
        "upstream/nginx.conf.in", "nginx.conf", OUT=OUT, PLAIN=UPSTREAM["plain"], TLS=UPSTREAM["tls"],
        PLAIN_READING=UPSTREAM["reading"], ANSWER=answer, AFFINITY="1" + "0" * LOAD_CPU)
    start("nginx", ["nginx", "-e", OUT / "nginx.log", "-c", config], LOAD_CPU, UPSTREAM["plain"])


def start_verifier(tls):
    port = VERIFIER["tls" if tls else "plain"]
    way = ["--cert", OUT / "server.pem", "--key", OUT / "server.key"] if tls else ["--plain"]
    return start(
        "verifier", [sys.executable, ROOT / "Tests/Verifier/verifier.py", "--port", str(port), *way, "--username",
                     USERNAME, "--secret-file", OUT / "secret", "--api-key-file", OUT / "api_key", "--place",
                     "header"], LOAD_CPU, port)


def start_peer(name, port, upstream, tls, scenario):
    """Starts a peer on `port` before the upstream port, and returns its process."""
    label = f"{name}-{port}"
    authority = f"127.0.0.1:{upstream}"
    if name == "limit":
        command = [OUT / "limit", str(port), str(upstream), authority, USERNAME, OUT / "secret", OUT / "api_key"]
        if tls:
            command.append(OUT / "server.pem")
    elif name == "haproxy":
        way = f"ssl verify required ca-file {OUT}/server.pem sni str(localhost) verifyhost localhost" if tls else ""
        config = fill(
            "peers/haproxy.cfg.in", f"{label}.cfg", CPU=PEER_CPU, LISTEN=port, UPSTREAM=upstream, SERVER_TLS=way,
            AUTHORITY=authority, API_KEY=API_KEY, USERNAME=USERNAME, BUFSIZE=bufsize(scenario),
            SECRET_BASE64=base64.b64encode(SECRET.encode()).decode())
        command = ["haproxy", "-db", "-f", config]
    else:
        url = f"{'https' if tls else 'http'}://{authority}"
        lines = f'    tls: {{ca_file: "{OUT}/server.pem", server_name: localhost}}' if tls else "    plain: false"
        config = fill(
            "peers/countersign.yaml.in", f"{label}.yaml", LISTEN=port, USERNAME=USERNAME, OUT=OUT, URL=url,
            TLS_LINES=lines, PACE=PACES.get(name, "none"), QUOTAS=QUOTAS.get(name, ""),
            IDEMPOTENCY="    idempotency: {key: Idempotency-Key}" if STORES.get(name) else "",
            STORE=f"store: {STORES[name]}".replace("@OUT@", str(OUT)) if STORES.get(name) else "",
            LOG=f"log: {LOGS.get(name, LOGS['log-off'])}".replace("@OUT@", str(OUT)))
        for left in [*OUT.glob("keys.db*"), *OUT.glob("access.log")]:
            left.unlink()
        program = os.environ.get("COUNTERSIGN" if name == "countersign" else f"COUNTERSIGN_{name.upper().replace('-', '_')}",
                                 ROOT / ".build/release/countersign")
        command = [program, "run", "--config", config]
    return start(label, command, PEER_CPU, port)


def bufsize(scenario):
    """HAProxy's default holds the small bodies; a large one needs room for all of it."""
    return 16384 if scenario["bytes"] < 8192 else scenario["bytes"] + 16384


# --- correctness first

def verify(name, port, scenario):
    """Every signature of some hundred requests is right, for bodies around block and buffer edges."""
    limit = bufsize(scenario) - 2048
    sizes = [size for edge in (64, 111, 128, 215, 239, 256, 4096, 16384, 65536) for size in (edge - 1, edge, edge + 1)]
    sizes = [size for size in sizes if size <= min(limit, scenario["bytes"] + 4200)]
    count = 0
    for _ in range(4):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        for round_number in range(max(4, 80 // len(sizes))):
            for size in sizes:
                body = b'{"v":"' + b"x" * (size - 8) + b'"}'
                target = f"/banking/users/create?round={round_number}&n={count}"
                connection.request("POST", target, body, {
                    "Content-Type": "application/json", "Accept": "*/*", "Idempotency-Key": f"{name}-{port}-{count}"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200 or json.loads(text).get("verified") is not True:
                    raise Failure(f"{name}: {size} bytes: {answer.status} {text[:200]!r}")
                count += 1
        connection.close()
    return count


def verify_all(peers, scenario):
    tls = scenario["upstream"] == "tls"
    verifier = start_verifier(tls)
    counts = {}
    for index, name in enumerate(peers):
        port = 19100 + index
        process = start_peer(name, port, VERIFIER["tls" if tls else "plain"], tls, scenario)
        counts[name] = verify(name, port, scenario)
        stop(process)
    stop(verifier)
    return counts


# --- measuring

def wrk(port, scenario, seconds):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", HERE / "post.lua",
               f"http://127.0.0.1:{port}/banking/users/create"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 20, preexec_fn=pin(LOAD_CPU),
        env={**os.environ, "BODY_BYTES": str(scenario["bytes"]),
             "KEY_PREFIX": f"{port}-{time.monotonic_ns()}-" if scenario.get("keys") else ""}, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result = json.loads(line[7:])
            break
    else:
        raise Failure(f"wrk gave no result: {done.stdout[-300:]} {done.stderr[-300:]}")
    if result["errors"] or "Non-2xx" in done.stdout or not result["requests"]:
        raise Failure(f"errors on port {port}: {done.stdout[-400:]}")
    return result


def measure(process, port, scenario, seconds):
    ran, waited = on_cpu(process.pid)
    ticks = busy()
    result = wrk(port, scenario, seconds)
    ran, waited = (after - before for after, before in zip(on_cpu(process.pid), (ran, waited)))
    wall = result["microseconds"] * 1e-6
    return {
        "us_per_request": ran / 1e3 / result["requests"],
        "requests_per_second": result["requests"] / wall,
        "cpu_busy": ran / 1e9 / wall,
        "cpu_waited": waited / 1e9 / wall,
        "machine_busy": (busy() - ticks) / os.sysconf("SC_CLK_TCK") / wall,
        "p50": result["p50"], "p99": result["p99"], "rss_kib": resident_kib(process.pid)}


def run_scenario(key, peers, options):
    scenario = SCENARIOS[key]
    say(f"{key}: {scenario['title']}")
    counts = verify_all(peers, scenario)
    say("  signatures verified: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    tls = scenario["upstream"] == "tls"
    ports = {name: 19000 + index for index, name in enumerate(peers)}
    running = {name: start_peer(name, port, UPSTREAM[scenario["upstream"]], tls, scenario)
               for name, port in ports.items()}
    for name in peers:
        wrk(ports[name], scenario, 1)
    rounds = []
    for number in range(options.rounds):
        this = {name: measure(running[name], ports[name], scenario, options.seconds) for name in peers}
        rounds.append(this)
        say(f"  round {number + 1}: " + "  ".join(
            f"{name} {this[name]['us_per_request']:.2f} us ({this[name]['cpu_waited']:.0%} waited)"
            for name in peers))
    for process in running.values():
        stop(process)
    stores = {name: said for name in peers if (said := store_figures(running[name]))}
    return {"stores": stores, "title": scenario["title"], "bytes": scenario["bytes"], "verified": counts, "rounds": rounds}


def store_figures(process):
    """What the store counted, as the gateway says at its end; nothing where it has none."""
    for line in (OUT / f"{process.log_name}.log").read_text(errors="replace").splitlines():
        if "store of idempotency keys is closed" in line:
            said = json.loads(line)
            return {key: said[key] for key in ("claims", "claimed", "commits", "failures", "keys")}
    return {}


# --- reporting

def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def summarize(result, peers):
    rounds = result["rounds"]
    summary = {}
    for name in peers:
        one = {key: spread([entry[name][key] for entry in rounds])
               for key in ("us_per_request", "requests_per_second", "cpu_busy", "cpu_waited", "p50", "p99", "rss_kib")}
        for base in ("limit", "haproxy", "off", "log-off"):
            if base in peers:
                one[f"ratio_to_{base}"] = spread(
                    [entry[name]["us_per_request"] / entry[base]["us_per_request"] for entry in rounds])
        summary[name] = one
    return summary


def cell(one, key, form):
    if key not in one:
        return "-"
    return " / ".join(form.format(one[key][part]) for part in ("min", "median", "max"))


def table(key, result, peers):
    lines = [f"## {key}: {result['title']}", "",
             "| peer | us CPU per request | x limit | x HAProxy | x off | requests/s | p50 us | p99 us | RSS MB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name in peers:
        one = result["summary"][name]
        lines.append(
            f"| {name} | {cell(one, 'us_per_request', '{:.1f}')} | {cell(one, 'ratio_to_limit', '{:.2f}')} | "
            f"{cell(one, 'ratio_to_haproxy', '{:.2f}')} | "
            f"{cell(one, 'ratio_to_log-off' if 'ratio_to_log-off' in one else 'ratio_to_off', '{:.2f}')} | "
            f"{cell(one, 'requests_per_second', '{:,.0f}')} | {one['p50']['median']:.0f} | "
            f"{one['p99']['median']:.0f} | {one['rss_kib']['max'] / 1024:.1f} |")
    for name, said in result["stores"].items():
        lines += ["", f"{name}: {said['claims']:,} claims in {said['commits']:,} commits, "
                  f"{said['commits'] / max(1, said['claims']):.3f} per claim; {said['keys']:,} keys"]
    return lines + [""]


def versions():
    def first(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return ((done.stdout + done.stderr).splitlines() or [""])[0]
    return {"commit": first("git", "-C", ROOT, "rev-parse", "HEAD"), "kernel": os.uname().release,
            "haproxy": first("haproxy", "-v"), "nginx": first("nginx", "-v"), "wrk": first("wrk", "-v"),
            "openssl": first("openssl", "version"), "processors": os.cpu_count()}


def write_report(results, options):
    report = {"versions": versions(), "rounds": options.rounds, "seconds": options.seconds, "scenarios": results}
    (OUT / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    lines = ["# Load test", "", "min / median / max of rounds; ratios within one round.", ""]
    for key, result in results.items():
        lines += table(key, result, result["summary"])
    lines += [f"- {key}: {value}" for key, value in report["versions"].items()]
    (OUT / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    say("\n".join(lines))


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="CPU time per signed request, beside the peers.")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2 s")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--only", default=",".join(SCENARIOS), help="scenarios, comma-separated")
    parser.add_argument("--peers", default=",".join(PEERS),
                        help="comma-separated; another name NAME runs the gateway at $COUNTERSIGN_NAME")
    given = parser.parse_args()
    given.rounds = given.rounds or (3 if given.quick else 5)
    given.seconds = given.seconds or (2 if given.quick else 4)
    given.only = given.only.split(",")
    given.peers = given.peers.split(",")
    for key in given.only:
        if key not in SCENARIOS:
            parser.error(f"no scenario {key}")
    return given


def main():
    options = arguments()
    if len(Path("/proc/net/route").read_text(encoding="ascii").splitlines()) > 1:
        raise Failure("run scripts/load: this network has routes, so it is not a namespace of its own")
    if (os.cpu_count() or 1) < 2:
        raise Failure("two processors are needed")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, lambda number, _: (_ for _ in ()).throw(Failure(f"ended by signal {number}")))
    signal.alarm(MAX_SECONDS)
    prepare()
    start_upstream()
    results = {}
    for key in options.only:
        peers = SCENARIOS[key].get("peers", options.peers)
        results[key] = run_scenario(key, peers, options)
        results[key]["summary"] = summarize(results[key], peers)
        write_report(results, options)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"load: {failure}")
    except KeyboardInterrupt:
        sys.exit("load: interrupted")
    finally:
        for left in reversed(list(started)):
            stop(left)
