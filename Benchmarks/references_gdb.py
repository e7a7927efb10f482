"""Runs within gdb (see references.py): stops at each count of a reference by a worker, notes the object, and says at the
end which objects more than one worker counted. Prints one line of JSON."""

import collections
import json
import os

import gdb

COUNTS = int(os.environ["COUNTS"])
# A text's reference may be no pointer but the text itself.
ADDRESSES = range(0x1000, 1 << 47)
# By object: how often each worker counted it, and from where.
workers = collections.defaultdict(collections.Counter)
places = collections.defaultdict(collections.Counter)
total = collections.Counter()


class Count(gdb.Breakpoint):
    """The runtime's function has the object in its first argument's register (x86-64)."""

    def stop(self):
        name = gdb.selected_thread().name or ""
        thing = int(gdb.parse_and_eval("$rdi"))
        if not name.startswith("worker") or thing not in ADDRESSES:
            return False
        caller = gdb.newest_frame().older()
        workers[thing][name] += 1
        places[thing][caller.name() or hex(caller.pc())] += 1
        total[name] += 1
        return sum(total.values()) >= COUNTS


def symbol(address):
    """What of the program lies there; nothing where it is no part of it."""
    text = gdb.execute(f"info symbol {address}", to_string=True)
    return "" if text.startswith("No symbol matches") else text.split(" in section")[0].strip()


def kind(thing):
    """The name of an object's type: its first word points to that."""
    return symbol(int(gdb.parse_and_eval(f"*(unsigned long *) {thing}"))).split(" + ")[0]


for function in ("swift_retain", "swift_retain_n", "swift_release"):
    Count(function)
gdb.execute("continue", to_string=True)
shared = [{"type": kind(thing), "from": places[thing].most_common(1)[0][0]}
          for thing, counts in workers.items() if len(counts) > 1 and not symbol(thing)]
print("RESULT " + json.dumps({"workers": total, "shared": shared}), flush=True)
