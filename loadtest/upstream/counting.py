#!/usr/bin/env python3
"""The independent verifier, counting every idempotency key as well: the upstream of `scripts/load --correct`.

Takes verifier.py's arguments. GET /_keys gives the counts: signatures right and wrong, the first reasons, keys that
came, keys that came more than once, and requests whose header and body have different numbers (the body of one request
under the head of another). Relies on Tests/Verifier/verifier.py for every rule about signatures.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "Tests/Verifier"))

import verifier  # noqa: E402

NUMBER = b'"idempotent_key":"idp-'
DIGITS = 10
MAX_REASONS = 5


class Counting(verifier.Service):
    """Verifies, and keeps how often each key came."""

    def __init__(self, rule, tls):
        super().__init__(rule, tls)
        self.keys, self.reasons, self.mixed = {}, [], 0

    def judge(self, request):
        if request.method == b"GET" and request.target == b"/_keys":
            with self.lock:
                return 200, {
                    "good": self.counts["good"], "bad": self.counts["bad"], "reasons": self.reasons,
                    "mixed": self.mixed, "keys": len(self.keys),
                    "doubled": sum(count > 1 for count in self.keys.values())}
        try:
            self.verifier.check(request, int(time.time()))
        except verifier.Refused as problem:
            with self.lock:
                self.counts["bad"] += 1
                if len(self.reasons) < MAX_REASONS and str(problem) not in self.reasons:
                    self.reasons.append(str(problem))
            return 401, {"verified": False, "why": str(problem)}
        self.keep(request)
        return 200, {"verified": True}

    def keep(self, request):
        """Counts the key; the number at its end must be the body's."""
        key = b"".join(request.values(b"idempotency-key"))
        at = request.body.find(NUMBER) + len(NUMBER)
        with self.lock:
            self.counts["good"] += 1
            self.keys[key] = self.keys.get(key, 0) + 1
            self.mixed += key[-DIGITS:] != request.body[at:at + DIGITS]


if __name__ == "__main__":
    verifier.Service = Counting
    verifier.main()
