"""The load: wrk, and our own generator, each run once and read. Refuses a run with an error or without an answer."""

import json
import os
import subprocess
import time

from .processes import FIFO_GENERATOR, before_exec
from .settings import LOAD_CPU, LOADTEST, OUT, PATH, Failure


def wrk_command(port, scenario, seconds):
    """Words, environment and what the process does first."""
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--timeout", "5s", "-s",
               LOADTEST / "post.lua", f"http://127.0.0.1:{port}{PATH}"]
    environment = {**os.environ, "BODY_BYTES": str(scenario.bytes),
                   "KEY_PREFIX": f"{port}-{time.monotonic_ns()}-" if scenario.keys else ""}
    if scenario.churn:
        environment["CLOSE"] = "1"
    return command, environment, before_exec({LOAD_CPU})


def wrk(port, scenario, seconds, warm_up=False):
    """One run of wrk from the load's processor; its counts, and microseconds at p50, p99, p99.9. A warm-up may be over
    before the first answer: making 64 TLS connections can take as long on a busy machine."""
    command, environment, prepare = wrk_command(port, scenario, seconds)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, env=environment,
                          preexec_fn=prepare, check=False)
    return wrk_result(port, done.stdout, done.stderr, warm_up)


def wrk_result(port, output, errors="", warm_up=False):
    """What wrk has said; refused where a request failed."""
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise Failure(f"wrk gave no result: {output[-300:]} {errors[-300:]}")
    result = json.loads(lines[0][7:])
    if result["errors"] or "Non-2xx" in output or not (result["requests"] or warm_up):
        raise Failure(f"errors on port {port} ({result['error_kinds']}; {result['requests']} answers); "
                      f"see {OUT}/*-{port}.log")
    return result


def generator_command(target, scenario, seconds, warm_up=1, rate=0, keys="", connections=0):
    command = [OUT / "load-generator", "--target", target, "--connections", str(connections or scenario.connections),
               "--seconds", str(seconds), "--warm-up", str(warm_up), "--body-bytes", str(scenario.bytes)]
    command[2:3] = [target, "--path", PATH] if target.startswith("unix:") else [target + PATH]
    command += ["--rate", str(rate)] if rate else ["--closed"]
    return command + (["--keys", keys] if keys else [])


def generator(target, scenario, seconds, cpu=LOAD_CPU, fifo=False, may_fail=False, **options):
    """One run of our generator; what it says, as it says it."""
    command = generator_command(target, scenario, seconds, **options)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 60, check=False,
        preexec_fn=before_exec({cpu}, FIFO_GENERATOR if fifo else 0))
    if done.returncode:
        raise Failure(f"the generator could not run against {target}: {done.stderr.strip()[-400:]}")
    return generator_result(target, done.stdout, may_fail)


def generator_result(target, output, may_fail=False):
    """What the generator has said; refused where a request failed, unless it may."""
    result = json.loads(output)
    if not may_fail and (result["errors"] or not result["requests"]):
        raise Failure(f"errors on {target}: {result['error_kinds']}, {result['requests']} requests")
    return result
