"""Looks for byte strings in all memory of a running process.

    memory.py PID NEEDLE...

Prints one line of JSON: for each needle the places where it is, at most 50: region, address, and the bytes around it.
Needs root, or the right to trace the process. A region that the kernel does not let anyone read is left out.
"""

import json
import sys


def regions(pid):
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            parts = line.split(None, 5)
            name = parts[5].strip() if len(parts) > 5 else "anonymous"
            if parts[1].startswith("r") and name not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                start, end = (int(part, 16) for part in parts[0].split("-"))
                yield name, start, end


def main():
    pid, needles = sys.argv[1], [needle.encode() for needle in sys.argv[2:]]
    found = {needle.decode(): [] for needle in needles}
    total = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for name, start, end in regions(pid):
            try:
                memory.seek(start)
                data = bytearray()
                while len(data) < end - start:
                    part = memory.read(min(1 << 24, end - start - len(data)))
                    if not part:
                        break
                    data += part
            except OSError:
                continue
            total += len(data)
            for needle in needles:
                at = data.find(needle)
                while at >= 0 and len(found[needle.decode()]) < 50:
                    around = bytes(data[max(0, at - 48):at + 48])
                    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in around)
                    found[needle.decode()].append({"region": name, "address": hex(start + at), "around": shown})
                    at = data.find(needle, at + 1)
    print(json.dumps({"bytes": total, "found": found}))


main()
