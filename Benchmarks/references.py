#!/usr/bin/env python3
"""Whether the workers of a gateway write to the same counts of references. Who uses an object counts a reference to it,
and a count that two processors write goes from one's cache to the other's and back: with every worker more, each request
costs more. So what each request uses, each worker has for itself; this fails where it does not.

Two workers serve a load with a quota, log lines with ids and the API key in both places, while gdb stops at every count
and notes whose it is. Left out are objects that lie in the program itself, which nobody counts, and what is shared on
purpose (SHARED).

Relies on: Linux, root or the right to trace, gdb, a release build with its symbols. Stops what it started.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import bench

# Counts to look at: those of some sixty requests.
COUNTS = 6000
SECONDS = 120
# A quota's counts are one for all workers: this object is the lock around them, in the same cache line.
SHARED = "LimitTable.Shard"
bench.KINDS["two"] = {"workers": 2, "place": "both", "product": "banking", "more": bench.QUOTA + bench.LOG_FILE}


class Load(threading.Thread):
    """Rounds of requests until it is told to stop."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.ending = gateway, threading.Event()

    def run(self):
        while not self.ending.is_set():
            self.gateway.round()


def trace(process):
    """What gdb saw of that process: how many counts by which worker, and the objects that more than one counted."""
    script = bench.HERE / "references_gdb.py"
    done = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-p", str(process.pid), "-x", script], capture_output=True, text=True,
        timeout=SECONDS, check=False, env={**os.environ, "COUNTS": str(COUNTS)})
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[7:])
    raise bench.Failure(f"gdb saw nothing: {done.stdout[-300:]} {done.stderr[-300:]}")


def plain(names):
    """Swift's names as they stand in the source."""
    done = subprocess.run(["swift", "demangle", "--simplified", "--compact"], input="\n".join(names), text=True,
                          capture_output=True, check=True)
    return done.stdout.splitlines()


def look(program, folder):
    """Prints what was seen; fails where workers share what they should not."""
    upstream = bench.Upstream()
    upstream.start()
    gateway = bench.Gateway([program], "two", upstream, folder)
    load = Load(gateway)
    try:
        load.start()
        seen = trace(gateway.process)
        load.ending.set()
        load.join(SECONDS)
    finally:
        gateway.stop()
    if len(seen["workers"]) != 2 or min(seen["workers"].values()) < COUNTS / 20:
        raise bench.Failure(f"two workers were to be seen at work: {seen['workers']}")
    found = plain([f"{one['type']} from {one['from']}" for one in seen["shared"]])
    wrong = [one for one in found if SHARED not in one.split(" from ")[0]]
    if len(wrong) == len(found):
        raise bench.Failure("the lock of a quota's counts is shared, and was not seen to be: nothing was looked at")
    if wrong:
        raise bench.Failure("workers count references to the same objects: " + "; ".join(wrong))
    print(f"two workers: {sum(seen['workers'].values()):,} references counted, none to an object of both but the lock of "
          "a quota's counts", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Fails where workers count references to the same objects.")
    parser.add_argument("--bin", required=True, help="the folder of a release build")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="countersign-references-"))
    try:
        bench.write_secrets(folder)
        look(Path(options.bin) / "countersign", folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    try:
        main()
    except (bench.Failure, subprocess.SubprocessError) as failure:
        sys.exit(f"references: {failure}")
