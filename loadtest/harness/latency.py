"""Latency at a fixed rate: an open loop that counts from the due time, with and without each peer.

Generator, upstream and peer run as SCHED_FIFO where the system allows it, so that other work is not in the figures. A
run in which the generator itself was late by more than LATE_US at p99 is repeated, REPEATS times at most; where none
was in time the last one counts and is marked.
"""

from .load import generator
from .measure import progress, start_peers
from .processes import on_cpu, realtime
from .settings import UPSTREAM
from .verify import verify_all

LATE_US = 120
REPEATS = 4
POINTS = ("p50", "p90", "p99", "p99_9", "max")


def once(target, peer, upstream, scenario, seconds):
    """One run at the scenario's rate, repeated while the generator is late."""
    fifo = realtime(upstream.pid, True) and (peer is None or realtime(peer.pid, True))
    try:
        for attempt in range(1 + REPEATS):
            if peer:
                peer.rest()
            ran = on_cpu(peer.pid)[0] if peer else 0
            said = generator(target, scenario, seconds, rate=scenario.rate, fifo=fifo, warm_up=1)
            ran = on_cpu(peer.pid)[0] - ran if peer else 0
            if said["lateness_us"]["p99"] <= LATE_US:
                break
    finally:
        realtime(upstream.pid, False)
        if peer:
            realtime(peer.pid, False)
    return {**{point: said["latency_us"][point] for point in POINTS},
            "late_p99": said["lateness_us"]["p99"], "repeats": attempt, "fifo": fifo,
            "in_time": said["lateness_us"]["p99"] <= LATE_US, "deepest_queue": said["deepest_queue"],
            "us_per_request": ran / 1e3 / said["answered"], "histogram": said["histogram_us"]}


def run_open(scenario, names, options, upstream):
    """Rounds of direct and all peers in alternation."""
    progress(scenario, options, scenario.title)
    names = ("direct", *(name for name in names if name != "direct"))
    counts = verify_all(names, scenario)
    progress(scenario, options, "verified: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    running = start_peers(names, scenario)
    rounds = []
    for number in range(options.rounds):
        this = {}
        for name in names:
            peer = running.get(name)
            target = peer.target if peer else f"http://127.0.0.1:{UPSTREAM[scenario.upstream]}"
            this[name] = once(target, peer, upstream, scenario, options.seconds)
        rounds.append(this)
        progress(scenario, options, f"round {number + 1} of {options.rounds}: " + "  ".join(
            f"{name} p50 {this[name]['p50']:.0f} p99 {this[name]['p99']:.0f} us"
            + ("" if this[name]["in_time"] else " (generator late)") for name in names))
    for peer in running.values():
        peer.stop()
    histograms = {name: merged([entry[name].pop("histogram") for entry in rounds]) for name in names}
    return {"verified": counts, "rounds": rounds, "names": names, "histograms": histograms}


def merged(histograms):
    """Buckets of several runs as one list of [microseconds, count], in order."""
    counts = {}
    for histogram in histograms:
        for value, count in histogram:
            counts[value] = counts.get(value, 0) + count
    return sorted([value, count] for value, count in counts.items())
