"""Starts, watches and stops processes, each by its id. Relies on Linux's /proc. Refuses to leave one behind."""

import os
import resource
import signal
import socket
import subprocess
import time

from .settings import OUT, DESCRIPTORS, Failure

BEGIN = time.monotonic()
# Priority of what is measured at a fixed rate, and of the generator above it, so that the load is never late by it.
FIFO_PEER, FIFO_GENERATOR = 10, 20
started = []


def say(text):
    print(text, flush=True)


def elapsed():
    """Seconds since the run began."""
    return time.monotonic() - BEGIN


def raise_limits():
    """Descriptors for tens of thousands of connections, or as many as are allowed; what is started inherits it."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    except (OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        say(f"descriptors cannot be raised above {hard} here: fewer idle connections are opened where that is too few")
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def before_exec(cpus, priority=0):
    def prepare():
        os.sched_setaffinity(0, cpus)
        if priority:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    return prepare


class Started:
    """A process of ours: its label, its log, where it listens."""

    def __init__(self, label, command, cpus, listens, env=None):
        self.label, self.listens = label, listens
        self.log = OUT / f"{label}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=before_exec(cpus), env=env)
        started.append(self)
        self.wait()

    @property
    def pid(self):
        return self.process.pid

    def wait(self):
        """Until it takes connections, 10 s at most."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                text = self.log.read_text(errors="replace")[-600:]
                self.stop()
                raise Failure(f"{self.label} ended at its start: {text}")
            try:
                connect(self.listens, 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"{self.label} does not listen on {self.listens}; its log is {self.log}")

    def stop(self):
        """SIGTERM; after 5 s SIGKILL, to its children too."""
        if self.process.poll() is None:
            children = tree(self.pid)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                for pid in reversed(children):
                    kill(pid)
                self.process.wait()
        if self in started:
            started.remove(self)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop_all(but=None):
    """Stops all that is left, but for one."""
    for left in reversed(list(started)):
        if left is not but:
            left.stop()


def connect(listens, timeout):
    """A connection to a port of 127.0.0.1, or to a Unix socket's path."""
    if isinstance(listens, int):
        return socket.create_connection(("127.0.0.1", listens), timeout)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(str(listens))
    except OSError:
        connection.close()
        raise
    return connection


def tree(pid):
    """The process and all below it."""
    pids, at = [pid], 0
    while at < len(pids):
        try:
            for task in os.listdir(f"/proc/{pids[at]}/task"):
                with open(f"/proc/{pids[at]}/task/{task}/children", encoding="ascii") as file:
                    pids += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
        at += 1
    return pids


def on_cpu(pid):
    """On-CPU and waiting-for-CPU nanoseconds of all threads of a process tree."""
    ran = waited = 0
    for one in tree(pid):
        for task in os.listdir(f"/proc/{one}/task"):
            with open(f"/proc/{one}/task/{task}/schedstat", encoding="ascii") as file:
                times = file.read().split()
            ran += int(times[0])
            waited += int(times[1])
    return ran, waited


def busy():
    """Busy ticks of all processors."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(part) for part in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4]


def resident_kib(pid):
    """Resident memory of a process tree."""
    total = 0
    for one in tree(pid):
        with open(f"/proc/{one}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    return total


def descriptors(pid):
    """Open descriptors of a process tree."""
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in tree(pid))


def realtime(pid, on):
    """Moves all threads of a process tree to SCHED_FIFO, or back. False where the system does not allow it."""
    policy, priority = (os.SCHED_FIFO, FIFO_PEER) if on else (os.SCHED_OTHER, 0)
    try:
        for one in tree(pid):
            for task in os.listdir(f"/proc/{one}/task"):
                os.sched_setscheduler(int(task), policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True
