"""Correctness under load: the upstream verifies every signature and counts every key. One wrong fails the run."""

import json
from http.client import HTTPConnection, HTTPSConnection
import ssl

from .load import generator
from .peers import Peer
from .processes import elapsed, say
from .scenarios import Scenario
from .settings import MEASURED, OUT, VERIFIER, Failure
from .upstreams import start_verifier

PHASES = (
    Scenario("plain", "215-byte POST, plain upstream"),
    Scenario("tls", "215-byte POST, TLS upstream", upstream="tls"),
    Scenario("large", "64 KiB POST, plain upstream", bytes=65536),
)


def judge(sent, counted):
    """What is wrong with one phase: sentences, none where every request was signed right and came exactly once."""
    problems = []
    if sent["errors"]:
        problems.append(f"callers saw errors: {sent['error_kinds']}")
    if counted["bad"]:
        problems.append(f"{counted['bad']} signatures are wrong: {'; '.join(counted['reasons'])}")
    if counted["doubled"]:
        problems.append(f"{counted['doubled']} keys came more than once")
    if counted["mixed"]:
        problems.append(f"{counted['mixed']} bodies came under the head of another request")
    if not counted["good"]:
        problems.append("nothing was verified")
    if counted["keys"] != counted["good"] or counted["good"] != sent["answered"]:
        problems.append(
            f"{sent['answered']} answers, {counted['good']} verified requests, {counted['keys']} keys: not the same")
    return problems


def counts(tls):
    """What the upstream has counted."""
    if tls:
        context = ssl.create_default_context(cafile=OUT / "server.pem")
        connection = HTTPSConnection("localhost", VERIFIER["tls"], timeout=10, context=context)
    else:
        connection = HTTPConnection("127.0.0.1", VERIFIER["plain"], timeout=10)
    connection.request("GET", "/_keys", headers={"Host": "localhost"})
    said = json.loads(connection.getresponse().read())
    connection.close()
    return said


def send(peer, scenario, seconds):
    """Load with a key of its own in each request. Where the generator gives up, the upstream's counts say why."""
    try:
        return generator(peer.target, scenario, seconds, warm_up=0, keys=f"{peer.name}-", may_fail=True)
    except Failure as failure:
        return {"sent": 0, "answered": 0, "errors": 1, "error_kinds": str(failure)}


def phase(name, scenario, seconds):
    tls = scenario.upstream == "tls"
    upstream = start_verifier(tls, program="loadtest/upstream/counting.py")
    peer = Peer(name, MEASURED, VERIFIER["tls" if tls else "plain"], scenario)
    try:
        sent = send(peer, scenario, seconds)
        counted = counts(tls)
    finally:
        peer.stop()
        upstream.stop()
    return {"sent": sent["sent"], "answered": sent["answered"], **counted, "problems": judge(sent, counted)}


def run_correct(names, seconds):
    """All phases of all peers; problems are sentences."""
    results = {}
    for name in names:
        results[name] = {}
        for scenario in PHASES:
            one = results[name][scenario.key] = phase(name, scenario, seconds)
            say(f"[{elapsed():4.0f} s] CORRECT {name} {scenario.key}: {one['good']:,} verified, {one['keys']:,} keys"
                + "".join(f"; WRONG: {problem}" for problem in one["problems"]))
    return results

