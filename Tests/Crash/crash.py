#!/usr/bin/env python3
"""Kills the gateway, or the sandbox, at random moments under load, and looks whether anything was done twice, forgotten
or told wrongly (see scripts/crash).

Sixteen callers ask on four routes, two of which send a lost request again and two of which do not, and repeat what has
no answer. At the end every request is asked for until it has an answer or is unknown for good, every answer once more,
and the account is compared with the sandbox's ledger; where the sandbox is the victim, with what a counter between the
two has seen. With --disk-full the store is on a small file system that is filled and emptied in between.

Relies on Linux, Python 3.11, the built commands. The last line is the account, as JSON; status 1 where a rule was
broken. A kill is not a loss of power: what the disk says of a sync is not tested.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter as Tally
from pathlib import Path

import callers
import programs

ROOT = Path(__file__).resolve().parent.parent.parent
# The small file system, and the time within which a store that has room again must work.
SMALL_FILE_SYSTEM = "64m"
RECOVERY_SECONDS = 5


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--victim", choices=("gateway", "sandbox"), default="gateway")
    parser.add_argument("--disk-full", action="store_true")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--bin", default=str(ROOT / ".build" / "debug"))
    parser.add_argument("--small", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.seed is None:
        chosen.seed = random.SystemRandom().randrange(1 << 32)
    return chosen


class Test:
    def __init__(self, chosen, state):
        self.chosen, self.state = chosen, state
        self.rng = random.Random(chosen.seed)
        self.store = chosen.small or state
        # Without a small file system the bound of the file stands for it; then it stays full.
        self.stays_full = chosen.disk_full and not chosen.small
        self.sandbox_port, self.gateway_port = programs.free_port(), programs.free_port()
        self.sandbox = programs.sandbox(chosen.bin, self.sandbox_port)
        self.counter = None
        upstream = self.sandbox_port
        if chosen.victim == "sandbox":
            upstream = programs.free_port()
            self.counter = programs.Counter(upstream, self.sandbox_port)
        max_size = "1MiB" if self.stays_full else "1GiB"
        self.gateway = programs.gateway(chosen.bin, state, self.store, self.gateway_port, upstream, max_size)
        self.crowd = callers.Crowd(self.gateway_port, chosen.seed, chosen.callers, self.counter)
        self.crowd.is_full = self.stays_full
        self.figures = {}
        self.recoveries = []

    # --- The course

    def run(self):
        begin = time.monotonic()
        self.sandbox.start()
        if self.counter:
            self.counter.up()
        self.gateway.start()
        self.crowd.up.set()
        self.crowd.start()
        for number in range(self.chosen.kills):
            self.round(number)
        self.crowd.finish()
        self.figures["kill_seconds"] = round(time.monotonic() - begin, 1)
        self.settle()
        if self.gateway.stop() != 0:
            self.crowd.wrong.append(("", "the gateway does not end with 0"))
        self.gateway.start()
        self.replay()
        self.compare()
        self.figures["seconds"] = round(time.monotonic() - begin, 1)
        return self.account()

    def round(self, number):
        self.pause(0.3)
        if self.chosen.small:
            self.fill()
        if self.chosen.victim == "gateway":
            self.kill_gateway(number)
        else:
            self.kill_sandbox()
        if self.chosen.small:
            self.pause(0.1)
            self.empty()

    def pause(self, most):
        """The random moment; the callers go on meanwhile."""
        time.sleep(self.rng.uniform(0, most))

    def kill_gateway(self, number):
        self.crowd.up.clear()
        self.gateway.kill()
        if number % 10 == 9:
            # While it starts, too.
            self.gateway.begin()
            self.pause(0.03)
            self.gateway.kill()
        self.gateway.start()
        self.crowd.up.set()

    def kill_sandbox(self):
        self.counter.down()
        self.sandbox.kill()
        self.pause(0.1)
        self.sandbox.start()
        self.counter.up()

    # --- The disk

    def fill(self):
        """Takes all the room that is left, down to the last page."""
        self.crowd.is_full = True
        with open(os.path.join(self.store, "ballast"), "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass
        self.pause(0.3)

    def empty(self):
        """Gives the room back, and waits for a new key to be taken."""
        os.remove(os.path.join(self.store, "ballast"))
        begin = time.monotonic()
        caller = callers.Caller(self.crowd)
        probe = self.crowd._new(self.rng)
        while probe.is_open and time.monotonic() < begin + RECOVERY_SECONDS:
            caller.ask(probe, self.rng, None)
        if probe.is_open:
            self.crowd.wrong.append((probe.key, "the store does not recover"))
        self.recoveries.append(time.monotonic() - begin)
        self.crowd.is_full = False

    # --- The end

    def settle(self):
        """Until everyone has an answer, or knows that there will be none."""
        left = self.crowd.for_all(
            [request for request in self.crowd.requests if request.is_open], lambda request: not request.is_open,
            seconds=5 if self.stays_full else 60)
        if not self.stays_full:
            self.crowd.wrong += [(request.key, "has neither an answer nor an honest word") for request in left]
        self.figures["left_open"] = len(left)

    def replay(self):
        """Everyone once more, from a gateway that was started anew: the same as ever."""
        before = self.crowd.told["first answer again"]
        known = [request for request in self.crowd.requests if request.answer is not None]
        self.crowd.for_all(self.crowd.requests, lambda request: True)
        self.figures["replayed_at_the_end"] = self.crowd.told["first answer again"] - before
        # Of a disk that was full, a kill may have taken some.
        least = 0.9 * len(known) if self.chosen.disk_full else len(known)
        if self.figures["replayed_at_the_end"] < least:
            self.crowd.wrong.append(("", f"{len(known)} answers, {self.figures['replayed_at_the_end']} of them again"))

    def compare(self):
        """The account against what the sandbox did, or what went out to it."""
        if self.counter:
            done = sent = self.counter.counts
        else:
            ledger = programs.control(self.sandbox_port, "/_sandbox/ledger")
            done, sent = Tally(), Tally()
            for entry in ledger:
                done[entry["idempotency_key"]] += entry["executed"]
                sent[entry["idempotency_key"]] += entry["executed"] + entry["replayed"]
        wrong = self.crowd.wrong
        twice = 0
        for request in self.crowd.requests:
            key = request.key
            if not request.resends and sent[key] > 1:
                wrong.append((key, f"went out {sent[key]} times"))
            if not self.counter and done[key] > 1:
                wrong.append((key, f"was carried out {done[key]} times"))
            if done[key] > 1 and not (self.counter and request.resends):
                twice += 1
            if request.answer is not None and done[key] == 0:
                wrong.append((key, "has an answer, and was not carried out"))
            if request.sent is not None and sent[key] != request.sent:
                wrong.append((key, f"went out {sent[key] - request.sent} times after it was answered"))
        self.figures["twice"] = twice
        self.figures["unknown_and_done"] = sum(
            1 for request in self.crowd.requests if request.answer is None and done[request.key])

    def account(self):
        requests, told = self.crowd.requests, self.crowd.told
        starts = sorted((self.gateway if self.chosen.victim == "gateway" else self.sandbox).start_seconds)
        account = {
            "seed": self.chosen.seed, "victim": self.chosen.victim, "kills": self.chosen.kills,
            "disk": "small" if self.chosen.small else "bounded" if self.stays_full else "large",
            "keys": len(requests), "answered": sum(request.answer is not None for request in requests),
            "unknown": sum(request.answer is None and request.is_unknown for request in requests),
            "lost_replays": told["lost replays"], "start_ms_median": round(1000 * starts[len(starts) // 2]),
            "start_ms_most": round(1000 * starts[-1]), "wrong": len(self.crowd.wrong), **self.figures}
        if self.recoveries:
            account["recovery_ms_most"] = round(1000 * max(self.recoveries))
        account["told"] = dict(sorted(told.items()))
        return account

    def stop(self):
        for program in (self.gateway, self.sandbox):
            if program.process is not None and program.process.poll() is None:
                program.kill()


def on_small_file_system(chosen):
    """Runs the test again within a namespace of its own, where it may mount; None where that is not possible."""
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True)
    if probe.returncode != 0:
        print("no namespace to mount in: the bound of the store's file stands for the disk", flush=True)
        return None
    folder = tempfile.mkdtemp(prefix="countersign-small-")
    mount = f'mount -t tmpfs -o size={SMALL_FILE_SYSTEM},mode=0700 tmpfs "$0" && exec "$@"'
    command = [sys.executable, *sys.argv, "--seed", str(chosen.seed), "--small", folder]
    try:
        return subprocess.run(["unshare", "-rm", "sh", "-c", mount, folder, *command]).returncode
    finally:
        os.rmdir(folder)


def main():
    chosen = options()
    if chosen.disk_full and not chosen.small:
        status = on_small_file_system(chosen)
        if status is not None:
            sys.exit(status)
    print(f"seed {chosen.seed}", flush=True)
    state = tempfile.mkdtemp(prefix="countersign-crash-")
    test = Test(chosen, state)
    try:
        account = test.run()
    finally:
        test.stop()
        shutil.rmtree(state)
    for key, what in test.crowd.wrong[:40]:
        print(f"wrong: {key}: {what}")
    print(json.dumps(account))
    sys.exit(1 if test.crowd.wrong else 0)


main()
