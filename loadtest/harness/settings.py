"""What every part of the load test knows: folders, ports, processors, credentials. Relies on nothing."""

import base64
from pathlib import Path

LOADTEST = Path(__file__).resolve().parent.parent
ROOT = LOADTEST.parent
OUT = LOADTEST / "out"
# The processor of the peer that is measured, and the one of load and upstream.
PEER_CPU, LOAD_CPU = 0, 1
USERNAME, API_KEY = "loadtest", "key-0123456789abcdef"
SECRET = base64.b64encode(bytes(range(48))).decode()
# A secret of the right form that the upstream does not know: what a failing run looks like.
WRONG_SECRET = base64.b64encode(bytes(range(1, 49))).decode()
UPSTREAM = {"plain": 18080, "tls": 18443, "reading": 18081, "slow": 18082}
VERIFIER = {"plain": 18090, "tls": 18453}
# Listening ports of peers: measured from MEASURED on, verified from VERIFIED on, admin listeners from ADMIN on.
MEASURED, VERIFIED, ADMIN = 19000, 19100, 19200
PATH = "/banking/users/create"
SLOW_MILLISECONDS = 75
ANSWER_BYTES = 404
# Descriptors that the harness and what it starts may have: 50,000 connections with two ends each, and room.
DESCRIPTORS = 250_000


class Failure(Exception):
    """The run cannot go on; one sentence for the operator."""
