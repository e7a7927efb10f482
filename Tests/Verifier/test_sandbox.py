#!/usr/bin/env python3
"""Walks ingo-sandbox through all flows, refusals and misbehaviours, and compares its verdicts with verifier.py's.

    COUNTERSIGN_BIN_DIR=.build/debug python3 Tests/Verifier/test_sandbox.py [unittest options]

The signer in harness.py is a third implementation of the rule, checked here against the signing vectors. Standard
library only; no sleeps: every wait is for a line, an answer or the end of a connection.
"""

import base64
import concurrent.futures
import hashlib
import json
import signal
import socket
import ssl
import subprocess
import time
import unittest

from harness import BIN, HERE, KEY, LEGACY, NEXT, STANDARD, Ended, Peer, Programs, Signed, sha512, sign
from refusals import DIFFERS, TABLE


def setUpModule():
    global PROGRAMS
    PROGRAMS = Programs()


def tearDownModule():
    codes = PROGRAMS.stop()
    if any(codes):
        raise AssertionError(f"exit codes after SIGTERM: {codes}")


class SandboxCase(unittest.TestCase):
    def setUp(self):
        self.peer = self.connect()
        self.control("POST", "reset")

    def tearDown(self):
        self.peer.__exit__()

    def connect(self, name="localhost"):
        return Peer(PROGRAMS.sandbox, PROGRAMS.authority, name)

    def control(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        with self.connect() as peer:
            head = f"{method} /_sandbox/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
            return peer.ask(head.encode() + data)[1]

    def post(self, path, body, **options):
        return self.peer.ask(Signed(path, body, **options).bytes())

    def banking(self, path, body, **options):
        return self.post("/api/v4" + path, body, **options)

    def refused(self, code, family, path, body, status=400, **options):
        got, answer = self.banking(path, body, **options)
        self.assertEqual((got, answer["status"]), (status, "error"))
        self.assertEqual((answer["status_code"]["status_code"], answer["status_code"]["error_type"]), (code, family))

    def ledger(self):
        return self.control("GET", "ledger")


class VectorTests(unittest.TestCase):
    def test_signer_agrees_with_the_vectors(self):
        vectors = json.loads((HERE.parent / "SigningTests" / "Vectors" / "signing.json").read_text())
        self.assertGreater(len(vectors), 20)
        for vector in vectors:
            credential, expect = vector["credential"], vector["expect"]
            self.assertEqual(expect["content-sha512"], sha512(vector["body"].encode()))
            signature = sign(
                credential["secret"].encode(), f"{vector['method']} {vector['target']} HTTP/1.1", expect,
                credential["signed_headers"], credential["algorithm"])
            self.assertTrue(expect["authorization"].endswith(f'signature="{signature}"'), vector["name"])


class RefusalTests(SandboxCase):
    def test_table_and_both_judges_agree(self):
        with Peer(PROGRAMS.verifier, PROGRAMS.authority) as other:
            for name, options, bend, message in TABLE:
                with self.subTest(name):
                    body = {"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"}
                    request = Signed(body=body, **options)
                    data = bend(request) if bend else request.bytes()
                    if name == "digest missing":
                        # The absent header is signed as `name:`; that alone must not be enough.
                        del request.values["content-sha512"]
                        data, message = request.bytes(), DIFFERS
                    self.peer.send(data)
                    status, fields, content = self.peer.answer()
                    self.assertEqual(status, 401 if message else 200, content)
                    if message:
                        self.assertEqual(json.loads(content), {"message": message})
                        self.assertIn(("WWW-Authenticate", "hmac"), fields)
                    self.assertEqual(other.ask(data)[0], status, "the two judges disagree")

    def test_next_secret_and_legacy_program(self):
        body = {"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"}
        self.assertEqual(self.banking("/balance/user", body, secret=NEXT)[0], 200)
        legacy = {"secret": LEGACY, "username": "old"}
        self.assertEqual(self.banking("/balance/user", body, algorithm="hmac-sha256", **legacy)[0], 200)
        self.assertEqual(self.banking("/balance/user", body, **legacy)[0], 401)

    def test_date_instead_of_x_date(self):
        request = Signed(body={}, names=STANDARD.replace("x-date", "date"))
        request.values["date"] = request.values.pop("x-date")
        self.assertEqual(self.peer.ask(request.bytes())[0], 400)

    def test_framing_is_refused_before_anything_else(self):
        good = Signed(body={}).bytes()
        for change, status in [
                (lambda data: data.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n", 1), 411),
                (lambda data: data.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n", 1), 400),
                (lambda data: data.replace(b"content-length: 2", b"content-length: +2"), 400),
                (lambda data: data.replace(b"content-length: 2", b"content-length: 02"), 400),
                (lambda data: data.replace(b"HTTP/1.1", b"HTTP/1.0", 1), 400),
                (lambda data: data.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1), 400),
                (lambda data: data.replace(b"host: ", b"host : ", 1), 400),
                (lambda data: data.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n", 1), 400),
                (lambda data: data.replace(b"POST ", b"POST  ", 1), 400)]:
            data = change(good)
            with self.subTest(data[:60]), self.connect() as peer:
                self.assertEqual(peer.ask(data)[0], status)
                with self.assertRaises((Ended, ConnectionResetError)):
                    peer.more()

    def test_head_limit(self):
        def filled(size):
            request = Signed(body={"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"})
            empty = request.bytes().index(b"\r\n\r\n") + len("\r\nx-filler: ")
            request.extra = ["x-filler: " + "x" * (size - empty)]
            return request.bytes()
        for size, status in [(65535, 200), (65536, 200), (65537, 431)]:
            with self.connect() as peer:
                self.assertEqual(peer.ask(filled(size))[0], status, size)


class BankingTests(SandboxCase):
    def verified_user(self):
        status, answer = self.banking(
            "/user/create", {"first_name": "Jane", "last_name": "Doe", "email": "j@example.com"})
        self.assertEqual((status, answer["data"]["kyc_status"]), (200, "not_started"))
        user = answer["data"]["user_id"]
        self.refused(1010, "INVALID_STATE", "/business/routable-bank-accounts/issue", {"user_id": user})
        submit = {"user_id": user, "ssn": "123456789", "date_of_birth": "1985-06-15"}
        self.assertEqual(
            self.banking("/user/send-verification-request", submit)[1]["data"]["kyc_status"], "in_review")
        self.refused(1010, "INVALID_STATE", "/user/send-verification-request", submit)
        self.refused(1010, "INVALID_STATE", "/business/routable-bank-accounts/issue", {"user_id": user})
        seen = [self.banking("/user/check-verification-request", {"user_id": user})[1]["data"]["kyc_status"]
                for _ in range(3)]
        self.assertEqual(seen, ["in_review", "verified", "verified"])
        return user

    def save(self, user, key="k", **changes):
        return {"user_id": user, "idempotent_key": key, "first_name": "A", "last_name": "R",
                "account_number": "8001234567", "routing_number": "123456789"} | changes

    def test_onboarding_and_money(self):
        user = self.verified_user()
        issued = self.banking("/business/routable-bank-accounts/issue", {"user_id": user})[1]["data"]
        self.assertRegex(issued["account_number"], r"^[1-9][0-9]{9}$")
        digits = [int(digit) for digit in issued["routing_number"]]
        self.assertEqual(sum(w * d for w, d in zip([3, 7, 1] * 3, digits)) % 10, 0)
        linked = self.banking("/users/bank-accounts/save", self.save(user))[1]["data"]["items"][0]
        self.assertEqual(linked["account_number_last_4"], "4567")
        fund = {"user_id": user, "amount": "100.00", "account_id": linked["id"], "receiver_business_id": "buss-x",
                "routable_bank_account_id": issued["routable_bank_account_id"]}
        top_up = "/user/charge-bank-account-fund-business-routable-bank-account"
        first, second = (self.banking(top_up, fund)[1]["data"]["items"][0]["id"] for _ in range(2))
        self.assertNotEqual(first, second)
        keyed = [self.banking(top_up, fund | {"idempotent_key": "t"})[1] for _ in range(2)]
        self.assertEqual(keyed[0], keyed[1])
        transfer = {
            "amount": "250.00", "source_entity_id": user, "source_entity_type": "user",
            "source_routable_bank_account_id": issued["routable_bank_account_id"],
            "destination_entity_id": "buss-2ef94c60-5a11-4d72-a3c1-5be7fab0123e",
            "destination_entity_type": "business",
            "destination_routable_bank_account_id": "rbac-9f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8",
            "idempotent_key": "b"}
        book = "/book-transfer/routable-bank-account-to-routable-bank-account-transfer"
        self.assertEqual(self.banking(book, transfer)[1], self.banking(book, transfer)[1])
        self.refused(1050, "PROCESSING", book, transfer | {"idempotent_key": "b2"})
        self.refused(1026, "VALIDATION", book, transfer | {"amount": "1.00"})
        balance = self.banking("/balance/user", {"user_id": user})[1]["data"]["items"]
        self.assertEqual([item["balance"] for item in balance], ["50.00"])
        paths = [(entry["path"][len("/api/v4"):], entry["idempotency_key"], entry["executed"], entry["replayed"])
                 for entry in self.ledger()]
        self.assertEqual([entry for entry in paths if entry[0] in (top_up, book)],
                         [(top_up, None, 1, 0), (top_up, None, 1, 0), (top_up, "t", 1, 1), (book, "b", 1, 1)])

    def test_a_repeated_key_gives_the_first_answer_byte_for_byte(self):
        user = "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"
        body = self.save(user)
        answers = []
        for order in (body, dict(reversed(body.items())), body | {"api_key": KEY}):
            self.peer.send(Signed("/api/v3/users/bank-accounts/save", order).bytes())
            answers.append(self.peer.answer()[2])
        self.assertEqual(len(set(answers)), 1)
        path = "/users/bank-accounts/save"
        self.refused(1026, "VALIDATION", path, self.save(user, account_number="80012345678"))
        self.assertEqual([entry["executed"] for entry in self.ledger()], [1])
        self.assertEqual(self.banking(path, self.save(user), **{
            "secret": LEGACY, "username": "old", "algorithm": "hmac-sha256"})[0], 200)
        self.assertEqual(len(self.ledger()), 2, "another program's keys are its own")

    def test_validation(self):
        user = "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"
        path = "/users/bank-accounts/save"
        for field in self.save(user):
            body = self.save(user)
            del body[field]
            self.refused(1020, "VALIDATION", path, body)
        for number, good in [("1" * 4, False), ("1" * 5, True), ("1" * 20, True), ("1" * 21, False), ("12a45", False)]:
            status = self.banking(path, self.save(user, key=number, account_number=number))[0]
            self.assertEqual(status, 200 if good else 400, number)
        for number in ["12345678", "1234567890"]:
            self.refused(1021, "VALIDATION", path, self.save(user, routing_number=number))
        self.refused(1000, "NOT_FOUND", path, self.save("user-nobody"))
        self.refused(1022, "VALIDATION", path, b"{")
        self.refused(1022, "VALIDATION", path, b'{"a":1,"a":2}')
        fund = {"account_id": "bbac-9abc1234-5678-90ef-klmn-opqrstuv5678", "user_id": user, "receiver_business_id": "b",
                "routable_bank_account_id": "rbac-2b1c0e44-4f2d-9a11-7b23-cc90d1ef8f3a"}
        top_up = "/user/charge-bank-account-fund-business-routable-bank-account"
        for amount in ["0.00", "-1.00", "1", "1.0", "1.000", "01.00", ".50", "1e2"]:
            self.refused(1021, "VALIDATION", top_up, fund | {"amount": amount})
        self.refused(1021, "VALIDATION", top_up, fund | {"amount": 1.00})
        self.assertEqual(self.banking(top_up, fund | {"amount": "0.01"})[0], 200)

    def test_program(self):
        user = "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"
        saved = self.banking("/program/bank-accounts/save", self.save(user))[1]["data"]["items"][0]["id"]
        path = "/program/charge-program-bank-account-fund-program-routable-bank-account"
        self.assertEqual(self.banking(path, {"amount": "5.00", "account_id": saved})[0], 200)
        self.refused(1000, "NOT_FOUND", path, {"amount": "5.00", "account_id": "bbac-x"})

    def test_api_key(self):
        user = {"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"}
        path = "/balance/user"
        self.refused(1040, "SECURITY", path, user, status=401, headers={"api_key": None})
        self.refused(1041, "SECURITY", path, user, status=401, headers={"api_key": "wrong"})
        self.refused(1041, "SECURITY", path, user | {"api_key": "wrong"}, status=401)
        self.refused(1041, "SECURITY", path, user | {"api_key": 1}, status=401)
        self.assertEqual(self.banking(path, user | {"api_key": KEY}, headers={"api_key": None})[0], 200)
        self.assertEqual(self.banking(path, user | {"api_key": KEY})[0], 200)

    def test_paths_and_methods(self):
        self.refused(1001, "NOT_FOUND", "/no/such", {}, status=404)
        self.refused(1023, "VALIDATION", "/balance/user", b"", status=405, method="GET")
        self.assertEqual(self.post("/elsewhere", {})[0], 404)


class IngoPayTests(SandboxCase):
    def verify(self, **changes):
        return {"participant_id": 12345, "account_type": "AC", "version": 11, "timestamp": 1576100326,
                "participant_unique_id1": "u-1", "account": "22222222", "routing_number": "011000015",
                "amount": 1010.5} | changes

    def test_tokenise_and_push(self):
        status, answer = self.post("/gateway/verify", self.verify())
        self.assertEqual((status, answer["status"], answer["data"]["last_4"]), (200, 100, "2222"))
        token = answer["data"]["customer_account_token"]
        push = {"participant_id": 12345, "account_type": "AC", "version": 11, "timestamp": 1576100326,
                "participant_unique_id1": "p-1", "customer_account_token": token, "amount": 10.5}
        first = self.post("/gateway/process", push)[1]
        again = self.post("/gateway/process", push)[1]
        self.assertEqual((first["status"], again["status"]), (100, 101))
        self.assertEqual(first["data"], again["data"])
        self.assertEqual([(entry["executed"], entry["replayed"]) for entry in self.ledger()], [(1, 0), (1, 1)])

    def test_refusals(self):
        for code, changes in [
                (401, {"participant_id": 1}), (401, {"participant_id": "12345"}), (401, {"account_type": "ZZ"}),
                (401, {"version": 10}), (401, {"timestamp": "x"}), (401, {"amount": 0}), (401, {"amount": "1.00"}),
                (400, {"participant_unique_id1": None}), (401, {"participant_unique_id1": ""}),
                (401, {"participant_unique_id1": "x" * 256}), (401, {"customer_account_token": "t"}),
                (401, {"routing_number": "1"}), (401, {"ledger": {"api_key": "wrong"}}), (401, {"ledger": {}})]:
            status, answer = self.post("/gateway/process", self.verify(**changes))
            self.assertEqual((status, answer["status"]), (400, code), changes)
        good = self.verify(participant_unique_id1="x" * 255, ledger={"api_key": KEY})
        self.assertEqual(self.post("/gateway/process", good, headers={"api_key": None})[1]["status"], 100)
        self.assertEqual(self.post("/gateway/none", {})[0], 404)
        self.assertEqual(self.post("/gateway/verify", b"", method="PUT")[0], 405)

    def test_debit(self):
        body = {"request": {"participant_id": "12345", "timestamp": "1576100326"},
                "transaction": {"account_type": "AC", "account": "22222222", "routing_number": "011000015",
                                "amount": "101.96", "participant_unique_ids": {"participant_unique_id1": "d-1"}}}
        path = "/gateway/v12/debit/process"
        codes = [self.post(path, body)[1]["response"]["status"] for _ in range(2)]
        self.assertEqual(codes, ["100", "101"])
        body["request"]["participant_id"] = 12345
        self.assertEqual(self.post(path, body)[1]["response"]["status"], "401")

    def test_in_progress(self):
        push = Signed("/gateway/process", self.verify(), headers={"x-sandbox-misbehave": "delay=400ms"})
        self.peer.send(push.bytes())
        while not self.ledger():
            pass
        with self.connect() as other:
            status, answer = other.ask(Signed("/gateway/process", self.verify()).bytes())
        self.assertEqual((status, answer["status"]), (200, 104))
        self.assertEqual(json.loads(self.peer.answer()[2])["status"], 100)
        self.assertEqual(self.post("/gateway/process", self.verify())[1]["status"], 101)
        self.assertEqual([entry["executed"] for entry in self.ledger()], [1])


class MisbehaviourTests(SandboxCase):
    user = {"first_name": "Jane", "last_name": "Doe", "email": "j@example.com"}

    def ask(self, what, expect=None):
        peer = self.connect()
        self.addCleanup(peer.__exit__)
        peer.send(Signed("/api/v4/user/create", self.user, headers={"x-sandbox-misbehave": what}).bytes())
        return peer

    def ends(self, what, executed, **expect):
        before = len(self.ledger())
        peer = self.ask(what)
        with self.assertRaises((Ended, ConnectionResetError)) as caught:
            peer.answer()
        self.assertEqual(len(self.ledger()) - before, executed, what)
        return caught.exception

    def test_lost_answers_are_executed(self):
        for what in ["close-before-answer", "close-mid-head", "close-mid-body"]:
            with self.subTest(what):
                error = self.ends(what, 1)
                self.assertIsInstance(error, Ended)
                self.assertEqual(error.args[0].startswith(b"HTTP"), what == "close-mid-head")
        self.ends("reset", 1)
        self.ends("drop", 0)

    def test_reset_is_a_reset(self):
        # Python's TLS hides a reset behind an end of file, hence without TLS.
        with Peer(PROGRAMS.start_sandbox("--plain")) as peer:
            peer.send(Signed("/api/v4/user/create", self.user, headers={"x-sandbox-misbehave": "reset"}).bytes())
            with self.assertRaises(ConnectionResetError):
                peer.answer()

    def test_no_answer(self):
        peer = self.ask("no-answer")
        while not self.ledger():
            pass
        peer.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            peer.answer()

    def test_garbage(self):
        peer = self.ask("garbage")
        with self.assertRaises((AssertionError, ValueError)):
            peer.answer()

    def test_answers_in_unusual_forms(self):
        peer = self.ask("chunked")
        status, fields, body = peer.answer()
        self.assertEqual((status, json.loads(body)["status"]), (200, "success"))
        self.assertNotIn("Content-Length", dict(fields))
        both = dict(self.ask("both-framings").head()[1])
        self.assertTrue("Content-Length" in both and "Transfer-Encoding" in both)
        peer = self.ask("interim-100,interim-103")
        self.assertEqual([peer.answer()[0] for _ in range(3)], [100, 103, 200])
        status, fields, _ = self.ask("oversize-head").answer()
        self.assertGreater(len(dict(fields)["X-Filler"]), 200_000)
        self.assertEqual(self.ask("slow-body=1ms").answer()[0], 200)
        peer = self.ask("close-after")
        status, fields, _ = peer.answer()
        self.assertEqual((status, dict(fields).get("Connection")), (200, None))
        with self.assertRaises(Ended):
            peer.more()

    def test_status_is_not_executed(self):
        before = len(self.ledger())
        status, fields, body = self.ask("status=503").answer()
        self.assertEqual((status, dict(fields)["Retry-After"], json.loads(body)["status_code"]["error_type"]),
                         (503, "1", "SYSTEM_ERROR"))
        self.assertEqual(len(self.ledger()), before)

    def test_early_close(self):
        request = Signed("/api/v4/user/create", self.user, headers={"x-sandbox-misbehave": "early-close"})
        with self.connect() as peer:
            peer.send(request.bytes()[:-len(request.body)])
            status, fields, _ = peer.answer()
            self.assertEqual((status, dict(fields)["Connection"]), (503, "close"))
            with self.assertRaises((Ended, ConnectionResetError)):
                peer.more()

    def test_delay(self):
        began = time.monotonic()
        self.assertEqual(self.ask("delay=150ms").answer()[0], 200)
        self.assertGreaterEqual(time.monotonic() - began, 0.15)

    def test_unknown_words_are_refused(self):
        for what in ["close-befor-answer", "delay=1", "status=99", "status=600", "reset,garbage", "delay"]:
            self.assertEqual(self.ask(what).answer()[0], 400, what)

    def test_ordered(self):
        self.assertEqual(self.control("POST", "misbehave", {"path": "/api/v4/user/create", "what": "status=500",
                                                            "times": 2})["times"], 2)
        codes = [self.banking("/user/create", self.user)[0] for _ in range(3)]
        self.assertEqual(codes, [500, 500, 200])
        self.assertIn("message", self.control("POST", "misbehave", {"path": "*", "what": "nonsense"}))


class ControlTests(SandboxCase):
    def test_requests_as_received(self):
        body = b'{"first_name": "Zo\xc3\xab", "n": 1.50}'
        request = Signed("/api/v4/user/create?x=1", body)
        self.peer.ask(request.bytes())
        self.banking("/balance/user", {}, secret=b"wrong")
        first, second = self.control("GET", "requests?last=2")
        self.assertEqual(first["request_line"], request.line)
        self.assertEqual((first["body"].encode(), base64.b64decode(first["body_base64"])), (body, body))
        self.assertEqual([name for name, _ in first["headers"]], [*request.values, "Authorization"])
        self.assertEqual((first["verdict"], first["username"]), ("verified", "acme"))
        self.assertEqual((second["verified"], second["verdict"]), (False, "refused: signature does not match"))
        self.assertEqual(len(self.control("GET", "requests?last=1")), 1)
        counts = self.control("GET", "counts")
        self.assertEqual((counts["verified"], counts["refused"], counts["requests"]), (1, 1, 2))

    def test_counts_of_pace(self):
        """At once, and within any second: each ends where it should."""
        body = b"{}"
        self.control("POST", "misbehave", {"path": "/api/v4/slow", "what": "delay=1100ms", "times": 3})

        def slow(_):
            with self.connect() as peer:
                peer.ask(Signed("/api/v4/slow", body).bytes())

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(slow, range(3)))
        counts = self.control("GET", "counts")
        self.assertEqual((counts["concurrent_max"], counts["per_second_max"]), (3, 3))
        # More than a second after those, one after the other: another second, and never two at once.
        for _ in range(2):
            self.peer.ask(Signed("/api/v4/user/create", body).bytes())
        counts = self.control("GET", "counts")
        self.assertEqual((counts["concurrent_max"], counts["per_second_max"]), (3, 3))
        for _ in range(4):
            self.peer.ask(Signed("/api/v4/user/create", body).bytes())
        self.assertEqual(self.control("GET", "counts")["per_second_max"], 6)
        self.control("POST", "reset", {})
        counts = self.control("GET", "counts")
        self.assertEqual((counts["concurrent_max"], counts["per_second_max"]), (0, 0))

    def test_many_connections_run_each_key_once(self):
        body = {"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef", "first_name": "A", "last_name": "R",
                "account_number": "8001234567", "routing_number": "123456789"}

        def one(index):
            with self.connect() as peer:
                request = Signed("/api/v4/users/bank-accounts/save", body | {"idempotent_key": f"k{index % 10}"})
                return peer.ask(request.bytes())[0]
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            self.assertEqual(set(pool.map(one, range(200))), {200})
        ledger = self.ledger()
        self.assertEqual((len(ledger), sum(entry["replayed"] for entry in ledger)), (10, 190))


class CommandTests(unittest.TestCase):
    def run_sandbox(self, *arguments):
        command = [str(BIN / "ingo-sandbox"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=10)

    def test_options(self):
        self.assertIn("usage:", self.run_sandbox("--help").stdout)
        self.assertRegex(self.run_sandbox("--version").stdout, r"^ingo-sandbox \d")
        for wrong in [["--nonsense", "1"], ["--port", "65536", "--plain"], ["--port", "x", "--plain"], ["--port", "0"],
                      ["--plain", "--print", "all"], ["--plain", "--certificate", "x"],
                      ["--plain", "--kyc-polls", "1001"]]:
            self.assertEqual(self.run_sandbox(*wrong).returncode, 2, wrong)
        self.assertEqual(self.run_sandbox("--plain", "--credentials", "/nowhere").returncode, 1)

    def test_credentials_are_checked_by_line(self):
        for text, line in [("secret = x\n", 1), ("username = a\nkey = x\n", 2), ("username = a\n", 2), ("junk\n", 1),
                           ("username = a\nsecret = b\nsecret = c\n", 3),
                           ("username = a\nsecret = b\nalgorithm = hmac-md5\n", 3),
                           ("username = a\nsecret = b\nusername = a\n", 3)]:
            path = PROGRAMS.path / "wrong"
            path.write_text(text)
            done = self.run_sandbox("--plain", "--credentials", path)
            self.assertEqual((done.returncode, f"wrong:{line}:" in done.stderr), (1, True), (text, done.stderr))

    def test_certificates(self):
        folder = PROGRAMS.path / "certificates"
        self.assertEqual(self.run_sandbox("--make-test-certificates", folder).returncode, 0)
        for name, problem in [("good", None), ("expired", "expired"), ("wrong-host", "mismatch"),
                              ("unknown-ca", "unable to get local issuer")]:
            port = PROGRAMS.start_sandbox("--certificate", folder / f"{name}.pem", "--key", folder / f"{name}.key")
            with self.subTest(name):
                if problem is None:
                    Peer(port, str(folder / "ca.pem"), "sandbox.localhost").__exit__()
                    Peer(port, str(folder / "ca.pem"), "127.0.0.1").__exit__()
                else:
                    with self.assertRaisesRegex(ssl.SSLCertVerificationError, problem):
                        Peer(port, str(folder / "ca.pem"))
            self.assertEqual((folder / f"{name}.key").stat().st_mode & 0o777, 0o600)

    def test_certificates_are_kept_and_made_again(self):
        folder = PROGRAMS.path / "kept"
        PROGRAMS.start_sandbox("--state-dir", folder)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.assertEqual(set(before), {"ca.pem", "ca.key", "server.pem", "server.key"})
        PROGRAMS.start_sandbox("--state-dir", folder)
        self.assertEqual({path.name: path.read_bytes() for path in folder.iterdir()}, before)
        (folder / "server.pem").write_text("broken")
        port = PROGRAMS.start_sandbox("--state-dir", folder)
        self.assertEqual((folder / "ca.pem").read_bytes(), before["ca.pem"])
        Peer(port, str(folder / "ca.pem")).__exit__()

    def test_only_http1_is_offered(self):
        context = ssl.create_default_context(cafile=PROGRAMS.authority)
        for offered, chosen in [(["h2", "http/1.1"], "http/1.1"), (["h2"], None)]:
            context.set_alpn_protocols(offered)
            with socket.create_connection(("127.0.0.1", PROGRAMS.sandbox)) as raw:
                if chosen:
                    with context.wrap_socket(raw, server_hostname="localhost") as wrapped:
                        self.assertEqual(wrapped.selected_alpn_protocol(), chosen)
                else:
                    with self.assertRaises(ssl.SSLError):
                        context.wrap_socket(raw, server_hostname="localhost")

    def test_printing_and_stopping(self):
        for how in ["full", "line"]:
            process, port = PROGRAMS.start([BIN / "ingo-sandbox", "--plain", "--print", how])
            with Peer(port) as peer:
                body = {"user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef"}
                request = Signed(body=body, username="demo", secret=b"demo-secret-not-for-production",
                                 headers={"api_key": "demo-api-key"})
                self.assertEqual(peer.ask(request.bytes())[0], 200)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=10), 0)
            printed = process.stdout.read()
            self.assertIn("verified", printed)
            self.assertEqual(request.authorization() in printed and json.dumps(body) in printed, how == "full")


if __name__ == "__main__":
    unittest.main()
