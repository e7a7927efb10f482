"""Runs a command twice, each with one listening socket of the same port passed to it as systemd would (sd_listen_fds(3)):
two gateways of which neither knows of the other, where a second one would not bind the port by itself.

    apart.py PORT NAME COMMAND...

Ends with them: SIGTERM is passed on.
"""

import os
import signal
import socket
import sys

FIRST_PASSED = 3


def start(port, name, command):
    """One process; its socket is its own, and the kernel spreads callers over both."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), FIRST_PASSED)
        os.set_inheritable(FIRST_PASSED, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
        os.execvp(command[0], command)
    listener.close()
    return pid


def main():
    children = [start(int(sys.argv[1]), sys.argv[2], sys.argv[3:]) for _ in range(2)]

    def pass_on(number, _):
        for child in children:
            os.kill(child, number)
    signal.signal(signal.SIGTERM, pass_on)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
