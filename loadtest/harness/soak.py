"""The soak: the full gateway under a steady load, its memory and descriptors sampled each second.

Fails where, after the warm-up (a tenth of the time, at most 60 s), resident memory has grown by more than GROWTH_KIB or
descriptors by more than GROWTH_DESCRIPTORS: median of the last fifth of samples less median of the first fifth. The
access log is opened anew every ROTATE_SECONDS, as logrotate has it done.
"""

import json
import os
import signal
import statistics
import subprocess
import time

from .load import generator, generator_command
from .peers import Peer
from .processes import before_exec, descriptors, elapsed, resident_kib, say
from .scenarios import Scenario
from .settings import LOAD_CPU, MEASURED, OUT, UPSTREAM, Failure
from .verify import verify_all

RATE = 5000
GROWTH_KIB = 4096
GROWTH_DESCRIPTORS = 16
ROTATE_SECONDS = 30
BURST_SECONDS = 3
SCENARIO = Scenario("SOAK", f"215-byte POST, {RATE:,}/s, 64 connections, every feature on", kind="open", rate=RATE)


def settled(samples, seconds):
    """The samples after the warm-up."""
    return [sample for sample in samples if sample["second"] >= min(60, seconds / 10)]


def growth(samples, key):
    """Median of the last fifth less median of the first fifth."""
    values = [sample[key] for sample in samples]
    fifth = max(1, len(values) // 5)
    return statistics.median(values[-fifth:]) - statistics.median(values[:fifth])


def judge(samples, seconds):
    """What is wrong with these samples: sentences, none where nothing is."""
    samples = settled(samples, seconds)
    if len(samples) < 5:
        return ["too few samples after the warm-up; soak for longer"]
    problems = []
    kib, files = growth(samples, "rss_kib"), growth(samples, "descriptors")
    if kib > GROWTH_KIB:
        problems.append(f"resident memory grew by {kib:.0f} KiB after the warm-up; {GROWTH_KIB} are allowed")
    if files > GROWTH_DESCRIPTORS:
        problems.append(f"descriptors grew by {files:.0f} after the warm-up; {GROWTH_DESCRIPTORS} are allowed")
    return problems


def rotate(peer):
    """The log file goes, and the gateway is told to open it again."""
    peer.access_log.unlink(missing_ok=True)
    os.kill(peer.pid, signal.SIGUSR1)


def watch(peer, load, seconds):
    """Samples each second until the load has ended; `seconds` and a minute at most."""
    samples, begin = [], time.monotonic()
    while load.poll() is None:
        second = time.monotonic() - begin
        if second > seconds + 60:
            raise Failure("the soak's load did not end")
        if peer.started.process.poll() is not None:
            raise Failure(f"the gateway ended under the soak; see {peer.started.log}")
        samples.append({"second": second, "rss_kib": resident_kib(peer.pid), "descriptors": descriptors(peer.pid)})
        if len(samples) % ROTATE_SECONDS == 0:
            rotate(peer)
            say(f"[{elapsed():4.0f} s] SOAK {second:.0f} of {seconds} s: {samples[-1]['rss_kib'] / 1024:.1f} MB, "
                f"{samples[-1]['descriptors']} descriptors")
        try:
            load.wait(max(0.0, begin + len(samples) - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
    return samples


def run_soak(name, seconds):
    say(f"[{elapsed():4.0f} s] SOAK {SCENARIO.title}, {seconds} s, {name}")
    counts = verify_all([name], SCENARIO)
    peer = Peer(name, MEASURED, UPSTREAM["plain"], SCENARIO)
    # First a burst, in which the pool of upstream connections comes to its size: its growth would look like a leak.
    generator(peer.target, SCENARIO, BURST_SECONDS, warm_up=0)
    # Into files: what the generator says at its end is more than a pipe holds, and nobody would read it.
    said_path, errors_path = OUT / "soak.json", OUT / "soak-load.log"
    with open(said_path, "wb") as out, open(errors_path, "wb") as errors:
        load = subprocess.Popen(
            generator_command(peer.target, SCENARIO, seconds, warm_up=0, rate=RATE), stdin=subprocess.DEVNULL,
            stdout=out, stderr=errors, preexec_fn=before_exec({LOAD_CPU}))
    try:
        samples = watch(peer, load, seconds)
    finally:
        if load.poll() is None:
            load.kill()
            load.wait()
        peer.stop()
    if load.returncode:
        raise Failure(f"the soak's load could not run: {errors_path.read_text(errors='replace')[-300:]}")
    said = json.loads(said_path.read_text(encoding="ascii"))
    problems = judge(samples, seconds)
    if said["errors"]:
        problems.append(f"errors: {said['error_kinds']}")
    return {"title": SCENARIO.title, "peer": name, "seconds": seconds, "verified": counts, "samples": samples,
            "requests": said["answered"], "latency_us": said["latency_us"], "problems": problems}
