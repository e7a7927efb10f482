"""Loads by turns: every peer has a load of its own, and one of them runs at a time, for a slice of 40 ms.

A shared machine has moods that last for seconds, and costs measured one after the other differ by them. In slices all
peers of a round share each mood: what a peer's requests cost beside another's is then steady to about a hundredth.
Refuses a load that ends with an error. Leaves no load behind, and none stopped.
"""

import os
import signal
import subprocess
import time

from .settings import Failure

SLICE_SECONDS = 0.04
# How long a load may take to end once its time is over.
END_SECONDS = 30


def by_turns(commands, seconds, prepare_slice):
    """Runs the loads, each of which ends by itself after `seconds` of the wall clock, and returns their output.
    `commands`: by name, the words, the environment, and what the new process does first. `prepare_slice` is called with
    a name before each of its slices."""
    loads = {}
    try:
        for name, (words, environment, prepare) in commands.items():
            loads[name] = subprocess.Popen(
                [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=environment, preexec_fn=prepare)
            os.kill(loads[name].pid, signal.SIGSTOP)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name, load in loads.items():
                prepare_slice(name)
                run_slice(load)
        return {name: finish(name, load) for name, load in loads.items()}
    finally:
        for load in loads.values():
            if load.poll() is None:
                load.kill()
                load.communicate()


def run_slice(load):
    """One slice; none for a load that has ended."""
    if load.poll() is None:
        os.kill(load.pid, signal.SIGCONT)
        time.sleep(SLICE_SECONDS)
        os.kill(load.pid, signal.SIGSTOP)


def finish(name, load):
    """Its time is over: it ends, alone, and has said its figures."""
    if load.poll() is None:
        os.kill(load.pid, signal.SIGCONT)
    output, errors = load.communicate(timeout=END_SECONDS)
    if load.returncode:
        raise Failure(f"the load of {name} failed: {errors.strip()[-300:]}")
    return output
