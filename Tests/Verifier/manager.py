"""A service manager of the tests' own: passes listening sockets, hears what sd_notify(3) says, starts again.

    manager.py [--notify PATH|@NAME] [--watchdog USEC] [--runs N] [--socket NAME=KIND]... -- COMMAND...

KIND is tcp, tcp-any (0.0.0.0), unix:PATH, datagram, or idle (a stream socket that does not listen). One line is written
for each thing that happens: `socket NAME PORT`, `child PID`, `notify A=1|B=2`, `ended STATUS`. SIGTERM and SIGHUP go to
the child. The sockets stay open between two runs, as systemd keeps them. Leaves with the last child's status.
"""
import argparse
import os
import select
import signal
import socket
import sys


def say(*words):
    print(*words, flush=True)


def make(kind):
    if kind.startswith("unix:"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(kind[5:])
    elif kind == "datagram":
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made
    else:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.bind(("0.0.0.0" if kind == "tcp-any" else "127.0.0.1", 0))
    if kind != "idle":
        made.listen(64)
    return made


def start(command, passed, options):
    child = os.fork()
    if child:
        return child
    # Above all that are wanted, then down to their places: none overwrites another.
    high = [os.dup2(made.fileno(), 100 + index) for index, (_, made) in enumerate(passed)]
    for index, number in enumerate(high):
        os.dup2(number, 3 + index, inheritable=True)
        os.close(number)
    if passed:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(passed))
        os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in passed)
    if options.notify:
        os.environ["NOTIFY_SOCKET"] = options.notify
    if options.watchdog:
        os.environ["WATCHDOG_USEC"] = options.watchdog
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execv(command[0], command)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--notify")
    parser.add_argument("--watchdog")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--socket", action="append", default=[])
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if options.notify:
        ear.bind(options.notify.replace("@", "\0", 1) if options.notify[0] == "@" else options.notify)
    passed = [(text.split("=", 1)[0], make(text.split("=", 1)[1])) for text in options.socket]
    for name, made in passed:
        where = made.getsockname()
        say("socket", name, where[1] if isinstance(where, tuple) else 0)

    # Signals become readable here: nothing is missed between two looks.
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)

    status = 1
    for _ in range(options.runs):
        child = start(options.command, passed, options)
        say("child", child)
        status = None
        while status is None:
            readable, _, _ = select.select([ear, wake], [], [])
            if ear in readable:
                say("notify", ear.recv(4096).decode().replace("\n", "|"))
            if wake in readable:
                for number in os.read(wake, 64):
                    if number != signal.SIGCHLD:
                        os.kill(child, number)
                ended, code = os.waitpid(child, os.WNOHANG)
                if ended:
                    status = os.waitstatus_to_exitcode(code)
        say("ended", status)
    sys.exit(status if status >= 0 else 128 - status)


main()
