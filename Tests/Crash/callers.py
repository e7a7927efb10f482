"""Callers that repeat each request until they have an answer or an honest word that its outcome is unknown, and judge
every answer by what they were told before.

Relies on the rules of the routes in programs.py. Anything that must not be is kept in `wrong`, with the request's key.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter, deque

SECONDS = 30
# One request in so many meets a sandbox that misbehaves.
MISBEHAVES_IN = 6
MISBEHAVIOUR = ("close-before-answer", "close-mid-head", "close-mid-body", "reset", "drop", "delay=30ms", "delay=5ms",
                "chunked", "close-after", "garbage", "status=503", "interim-103")
USER = "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"
BUSINESS = "buss-2ef94c60-5a11-4d72-a3c1-5be7fab0123e"
TRANSFER = "/book-transfer/routable-bank-account-to-routable-bank-account-transfer"


def save(key):
    return {"user_id": USER, "idempotent_key": key, "first_name": "Alex", "last_name": "Rivera",
            "account_number": "8001234567", "routing_number": "123456789"}


def transfer(key):
    return {"idempotent_key": key, "amount": "0.01", "source_entity_id": USER, "source_entity_type": "user",
            "source_routable_bank_account_id": "rbac-2b1c0e44-4f2d-9a11-7b23-cc90d1ef8f3a",
            "destination_entity_id": BUSINESS, "destination_entity_type": "business",
            "destination_routable_bank_account_id": "rbac-9f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8"}


def process(key):
    return {"version": 11, "participant_unique_id1": key, "account_type": "AC", "account": "22222222",
            "routing_number": "011000015", "amount": 10.5}


# Path, the body for a key, whether a lost request is sent again, whether its timestamp changes.
ROUTES = (("/users/bank-accounts/save", save, True, False), (TRANSFER, transfer, False, False),
          ("/gateway/process", process, True, True), ("/gateway/verify", process, False, True))


class Request:
    """One request, under one key, and what its callers know of it."""

    __slots__ = ("key", "path", "body", "resends", "is_stamped", "answer", "is_unknown", "at_risk", "sent")

    def __init__(self, key, route):
        self.key = key
        self.path, body, self.resends, self.is_stamped = route
        self.body = body(key)
        # The first final answer: nothing else may ever come.
        self.answer = None
        self.is_unknown = False
        # It was answered while the disk was full: the answer was with the gateway's memory alone.
        self.at_risk = False
        # How often it had gone out when it was answered, where that is counted.
        self.sent = None

    @property
    def is_open(self):
        return self.answer is None and not (self.is_unknown and not self.resends)

    def text(self, rng):
        body = dict(self.body)
        if self.is_stamped:
            body["timestamp"] = rng.randrange(1_500_000_000, 1_700_000_000)
        items = list(body.items())
        rng.shuffle(items)
        return json.dumps(dict(items), separators=(",", ":"))


class Crowd:
    """All callers. `counter`: says how often a key went out, where somebody counts."""

    def __init__(self, port, seed, connections, counter=None):
        self.port, self.seed, self.connections, self.counter = port, seed, connections, counter
        self.lock = threading.Lock()
        self.requests = []
        self.recent = deque(maxlen=64)
        self.told = Counter()
        self.wrong = []
        self.up = threading.Event()
        self.is_over = threading.Event()
        self.is_full = False
        self.threads = []

    # --- Phases

    def start(self):
        for number in range(self.connections):
            thread = threading.Thread(target=self._load, args=(number,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def finish(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(timeout=2 * SECONDS)
            if thread.is_alive():
                raise SystemExit("a caller does not come to its end")

    def for_all(self, requests, until, seconds=60):
        """Asks for each until `until(request)` says that it is enough."""
        rest = deque(requests)
        deadline = time.monotonic() + seconds

        def work(number):
            rng = random.Random(f"{self.seed}/again/{number}")
            caller = Caller(self)
            while time.monotonic() < deadline:
                with self.lock:
                    if not rest:
                        return
                    request = rest.popleft()
                caller.ask(request, rng, None)
                if not until(request):
                    with self.lock:
                        rest.append(request)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return list(rest)

    def _load(self, number):
        rng = random.Random(f"{self.seed}/{number}")
        caller = Caller(self)
        mine = []
        while not self.is_over.is_set():
            choice = rng.random()
            mine = [request for request in mine if request.is_open]
            if mine and choice < 0.5:
                request = mine[rng.randrange(len(mine))]
            elif self.recent and choice < 0.65:
                # An equal request, perhaps while the first is on its way.
                request = self.recent[rng.randrange(len(self.recent))]
            elif self.requests and choice < 0.75:
                request = self.requests[rng.randrange(len(self.requests))]
            else:
                request = self._new(rng)
                mine.append(request)
            misbehaviour = rng.choice(MISBEHAVIOUR) if rng.randrange(MISBEHAVES_IN) == 0 else None
            if not caller.ask(request, rng, misbehaviour):
                self.up.wait(timeout=5)

    def _new(self, rng):
        with self.lock:
            request = Request(f"crash-{self.seed}-{len(self.requests)}", ROUTES[rng.randrange(len(ROUTES))])
            self.requests.append(request)
            self.recent.append(request)
        return request

    # --- Judgement

    def judge(self, request, status, headers, body, was_known, was_full):
        """`was_known`: it had an answer before it was asked for. One that came meanwhile may have been on its way."""
        with self.lock:
            fate = "; ".join((headers["Proxy-Status"] or "").split("; ")[2:])
            is_replay = headers["Idempotent-Replayed"] == "true"
            self.told[f"{status}{' replayed' if is_replay else ''}{' ' + fate if fate else ''}"] += 1
            if status == 200 and headers["Proxy-Status"] is None:
                self._answered(request, body, is_replay, was_known, was_full or self.is_full)
            elif status == 503 and headers["Proxy-Status"] is None:
                # The sandbox's own: it leaves the outcome unknown.
                self._unsettled(request, was_known, "the sandbox's 503")
            elif status in (502, 503, 504) and fate == "sent=?0":
                # Not sent. The store may be away for a moment; what it knows it still knows.
                if status != 503:
                    self._unsettled(request, was_known, "was asked for again")
            elif status in (502, 504) and fate.startswith("sent=?1"):
                self._unsettled(request, was_known, "went out again")
            elif status == 409 and headers["Retry-After"] is not None:
                self._unsettled(request, was_known, "is said to be on its way")
            elif status == 409 and "unknown" in body.decode():
                self._unsettled(request, was_known, "is unknown again")
                request.is_unknown = True
                if request.resends:
                    self.wrong.append((request.key, "a route that resends says that it does not"))
            else:
                self.wrong.append((request.key, f"{status} {fate}: {body[:200]!r}"))

    def _answered(self, request, body, is_replay, was_known, was_full):
        if request.path == "/gateway/process" and json.loads(body)["status"] == 104:
            return self._unsettled(request, was_known, "is said to be on its way upstream")
        if request.answer is None:
            if request.is_unknown and not request.resends and not was_full:
                self.wrong.append((request.key, "was unknown for good, and has an answer"))
            request.answer = body
            request.at_risk = was_full
            request.sent = self.counter.count(request.key) if self.counter else None
        elif request.answer != body:
            self._lost(request, f"another answer: {request.answer[:120]!r} then {body[:120]!r}")
        elif is_replay:
            self.told["first answer again"] += 1

    def _unsettled(self, request, was_known, what):
        if was_known and request.answer is not None:
            self._lost(request, f"has an answer, and {what}")

    def _lost(self, request, what):
        if request.at_risk:
            self.told["answers of a full disk that a kill took"] += 1
            request.answer, request.at_risk = None, False
        else:
            self.told["lost replays"] += 1
            self.wrong.append((request.key, what))


class Caller:
    """One connection, made anew where it has ended."""

    def __init__(self, crowd):
        self.crowd = crowd
        self.connection = None

    def ask(self, request, rng, misbehaviour):
        """False where there was no whole answer."""
        crowd = self.crowd
        was_full = crowd.is_full
        was_known = request.answer is not None
        headers = {"Content-Type": "application/json"}
        if misbehaviour:
            headers["X-Sandbox-Misbehave"] = misbehaviour
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", crowd.port, timeout=SECONDS)
            self.connection.request("POST", request.path, request.text(rng), headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except TimeoutError:
            with crowd.lock:
                crowd.wrong.append((request.key, f"no answer in {SECONDS} s"))
            self._drop()
            return False
        except (OSError, http.client.HTTPException):
            with crowd.lock:
                crowd.told["no whole answer"] += 1
            self._drop()
            return False
        if answer.will_close:
            self._drop()
        crowd.judge(request, answer.status, answer.headers, body, was_known, was_full)
        return True

    def _drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
