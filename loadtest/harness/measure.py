"""Closed loops in alternation, round by round: what the load sees of each peer alone, and then, by turns, what a request
costs each."""

import json
import os
import time

from . import slices
from .load import generator, generator_command, generator_result, wrk, wrk_command, wrk_result
from .peers import Peer
from .processes import before_exec, busy, elapsed, on_cpu, resident_kib, say
from .settings import LOAD_CPU, MEASURED, UPSTREAM
from .upstreams import start_slow_upstream
from .verify import verify_all

# Seconds of each peer alone, in each round.
ALONE_SECONDS = 1


def progress(scenario, options, text):
    """A line that says where the run stands."""
    place = options.only.index(scenario.key) + 1 if scenario.key in options.only else 0
    say(f"[{elapsed():4.0f} s] {scenario.key} ({place} of {len(options.only)}) {text}")


def start_peers(names, scenario):
    return {name: Peer(name, MEASURED + index, UPSTREAM[scenario.upstream], scenario)
            for index, name in enumerate(names) if name != "direct"}


def warm_up(peer, scenario):
    """A second of load that is not measured: connections, pools and buffers come to their size."""
    if scenario.kind == "generator":
        generator(peer.target, scenario, 1, warm_up=0)
    else:
        wrk(peer.port, scenario, 1, warm_up=True)


def once(peer, scenario, seconds):
    """What the load sees of a peer that has the machine for itself."""
    peer.rest()
    waited = on_cpu(peer.pid)[1]
    ticks, begin = busy(), time.monotonic()
    if scenario.kind == "generator":
        said = generator(peer.target, scenario, seconds, warm_up=0)
        result = {"requests": said["answered"], "microseconds": said["microseconds"],
                  "p50": said["latency_us"]["p50"], "p99": said["latency_us"]["p99"]}
    else:
        result = wrk(peer.port, scenario, seconds)
    wall = result["microseconds"] * 1e-6
    took = time.monotonic() - begin
    return {
        "requests_per_second": result["requests"] / wall,
        "cpu_waited": (on_cpu(peer.pid)[1] - waited) / 1e9 / wall,
        "machine_busy": (busy() - ticks) / os.sysconf("SC_CLK_TCK") / took,
        "p50": result["p50"], "p99": result["p99"], "rss_kib": resident_kib(peer.pid)}


def costs(running, scenario, seconds):
    """CPU time per request of each peer, in microseconds: loaded by turns, `seconds` for each."""
    wall = seconds * len(running) + 1
    if scenario.kind == "generator":
        commands = {name: (generator_command(peer.target, scenario, wall, warm_up=0), None, before_exec({LOAD_CPU}))
                    for name, peer in running.items()}
    else:
        commands = {name: wrk_command(peer.port, scenario, wall) for name, peer in running.items()}
    before = {name: on_cpu(peer.pid)[0] for name, peer in running.items()}
    outputs = slices.by_turns(commands, wall, lambda name: running[name].rest())
    return {name: (on_cpu(peer.pid)[0] - before[name]) / 1e3 / requests(peer, scenario, outputs[name])
            for name, peer in running.items()}


def requests(peer, scenario, output):
    """Answers that a load has had. Every one costs the peer, also those that came after the measured time."""
    if scenario.kind == "generator":
        return generator_result(peer.target, output)["answered"]
    return wrk_result(peer.port, output)["requests"]


def run_closed(scenario, names, options):
    """The scenario's rounds; what the report needs of them."""
    progress(scenario, options, scenario.title)
    counts = verify_all(names, scenario)
    progress(scenario, options, "verified: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    slow = start_slow_upstream() if scenario.upstream == "slow" else None
    running = start_peers(names, scenario)
    for peer in running.values():
        warm_up(peer, scenario)
    rounds = []
    for number in range(options.rounds):
        this = {name: once(running[name], scenario, ALONE_SECONDS) for name in names}
        for name, cost in costs(running, scenario, options.seconds).items():
            this[name]["us_per_request"] = cost
        rounds.append(this)
        progress(scenario, options, f"round {number + 1} of {options.rounds}: " + "  ".join(
            f"{name} {this[name]['us_per_request']:.2f} us ({this[name]['cpu_waited']:.0%} waited)"
            for name in names))
    for peer in running.values():
        peer.stop()
    if slow:
        slow.stop()
    stores = {name: said for name in names if (said := store_figures(running[name]))}
    return {"verified": counts, "rounds": rounds, "stores": stores}


def store_figures(peer):
    """What the store counted, as the gateway says at its end; nothing where it has none."""
    for line in peer.started.log.read_text(errors="replace").splitlines():
        if "store of idempotency keys is closed" in line:
            said = json.loads(line)
            return {key: said[key] for key in ("claims", "claimed", "commits", "failures", "keys")}
    return {}
