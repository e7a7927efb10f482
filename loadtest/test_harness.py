#!/usr/bin/python3
"""The load test's own check, in a second and without a load: ratios, tables, verdicts, what is sent and what is drawn.

Relies on canned rounds. Plots are drawn where matplotlib is there; what they show is prepared and checked without it.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stderr
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "upstream")]

import counting  # noqa: E402
import run  # noqa: E402
import verifier  # noqa: E402
from harness import correct, crosscheck, latency, load, peers, plots, report, scenarios, slices, soak, verify  # noqa: E402
from harness.settings import OUT, Failure  # noqa: E402


def closed(us, rss=10_240):
    return {"us_per_request": us, "requests_per_second": 1e6 / us, "cpu_waited": 0.01,
            "machine_busy": 1.5, "p50": 10 * us, "p99": 30 * us, "rss_kib": rss}


def opened(p50, in_time=True):
    return {"p50": p50, "p90": p50 + 10, "p99": p50 + 40, "p99_9": p50 + 90, "max": p50 + 300, "late_p99": 30,
            "us_per_request": 40, "in_time": in_time, "fifo": True, "repeats": 0}


def idle(count):
    return {"start_kib": 9_000, "before_kib": 9_100, "after_kib": 9_100 + count, "bytes_per_connection": count / 5}


CLOSED = [{"limit": closed(10), "haproxy": closed(20), "countersign": closed(12)},
          {"limit": closed(20), "haproxy": closed(30), "countersign": closed(22)},
          {"limit": closed(10), "haproxy": closed(18), "countersign": closed(15)}]
OPEN = [{"direct": opened(50), "countersign": opened(120)}, {"direct": opened(80), "countersign": opened(130, False)}]
IDLE = [{"haproxy": idle(5_000), "countersign": idle(800)}]
SAMPLES = [{"second": second, "rss_kib": 20_000 + min(second, 30), "descriptors": 100} for second in range(200)]
COUNTED = {"good": 10, "bad": 0, "reasons": [], "mixed": 0, "keys": 10, "doubled": 0}
SENT = {"errors": 0, "error_kinds": {}, "answered": 10}


def result(kind, rounds, base="", **more):
    return {"title": f"a <{kind}> one", "kind": kind, "bytes": 215, "base": base, "rounds": rounds,
            "summary": report.summarize(kind, rounds, base), **more}


def canned():
    histograms = {name: [[50.0, 90], [100.0, 9], [900.0, 1]] for name in ("direct", "countersign")}
    return {
        "versions": {"commit": "<c>"}, "rounds": 3, "seconds": 1,
        "scenarios": {
            "W1": result("closed", CLOSED, stores={}),
            "I1": result("closed", [{"off": closed(10), "memory": closed(15)}], "off",
                         stores={"memory": {"claims": 100, "commits": 8, "keys": 100}}),
            "F1": result("open", OPEN, histograms=histograms), "C5": result("idle", IDLE)},
        "sizes": {"limit": {"bytes": 28_024}, "countersign": {"bytes": 11_000_000, "stripped": 2_700_000}},
        "correct": {"countersign": {"plain": {**COUNTED, "problems": []}}},
        "cross_check": {"slow": {"title": "slow", "differences": {"p50": 0.01}, "problems": [], "rounds": [
            {name: {"requests_per_second": 800.0, "p50": 75_000.0} for name in ("generator", "h2load")}]}},
        "soak": {"title": "s", "samples": SAMPLES, "seconds": 200, "requests": 1_000_000, "latency_us": {"p99": 500},
                 "problems": []}}


class Slices(unittest.TestCase):
    """Loads that are programs of Python: they count how much of the processor they got."""

    SPIN = ("import sys, time\nend = time.monotonic() + 0.8\nwhile time.monotonic() < end: pass\n"
            "print(time.process_time()); sys.exit(int(sys.argv[1]))")

    def commands(self, codes):
        return {name: ([sys.executable, "-c", self.SPIN, code], None, lambda: os.sched_setaffinity(0, {0}))
                for name, code in codes.items()}

    def test_all_loads_have_their_share_and_none_runs_beside_another(self):
        prepared = []
        outputs = slices.by_turns(self.commands({"a": 0, "b": 0}), 0.8, prepared.append)
        got = {name: float(text) for name, text in outputs.items()}
        # On one processor both together cannot have more than there is, and each has its slices.
        self.assertLess(sum(got.values()), 1.0)
        self.assertGreater(min(got.values()), 0.1)
        # Each is prepared before each of its slices, by turns.
        self.assertGreater(len(prepared), 4)
        self.assertEqual(prepared, ["a", "b"] * (len(prepared) // 2))

    def test_a_load_that_fails_fails_the_run_and_none_is_left(self):
        with self.assertRaises(Failure):
            slices.by_turns(self.commands({"a": 0, "b": 3}), 0.8, lambda name: None)
        with self.assertRaises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


class Arithmetic(unittest.TestCase):
    def test_ratios_are_of_one_round(self):
        one = report.summarize("closed", CLOSED)["countersign"]
        self.assertEqual(one["ratio_to_limit"], {"min": 1.1, "median": 1.2, "max": 1.5})
        self.assertAlmostEqual(one["ratio_to_haproxy"]["median"], 22 / 30)
        self.assertEqual(one["us_per_request"], {"min": 12, "median": 15, "max": 22})

    def test_a_base_of_its_own(self):
        summary = report.summarize("closed", [{"off": closed(10), "memory": closed(15)}], "off")
        self.assertEqual(summary["memory"]["ratio_to_off"]["median"], 1.5)
        self.assertNotIn("ratio_to_limit", summary["memory"])

    def test_latency_is_added_within_a_round(self):
        one = report.summarize("open", OPEN)["countersign"]
        self.assertEqual(one["added_p50"], {"min": 50, "median": 60, "max": 70})
        self.assertEqual(one["late_rounds"], 1)

    def test_histograms_are_merged_in_order(self):
        self.assertEqual(latency.merged([[[5, 1], [9, 2]], [[1, 1], [9, 3]]]), [[1, 1], [5, 1], [9, 5]])

    def test_the_cross_check_takes_the_median_of_rounds(self):
        rounds = [{"generator": {"p50": mine}, "h2load": {"p50": 100}} for mine in (90, 110, 300)]
        self.assertAlmostEqual(crosscheck.difference(rounds, "p50"), 0.1)


class Verdicts(unittest.TestCase):
    def test_right_is_right(self):
        self.assertEqual(correct.judge(SENT, COUNTED), [])

    def test_one_wrong_is_enough(self):
        for change, word in (({"bad": 1, "reasons": ["signature does not match"]}, "signature does not match"),
                             ({"doubled": 1}, "more than once"), ({"mixed": 1}, "another request"),
                             ({"keys": 9}, "not the same"), ({"good": 0}, "nothing")):
            self.assertIn(word, " ".join(correct.judge(SENT, {**COUNTED, **change})), change)
        self.assertTrue(correct.judge({**SENT, "answered": 11}, COUNTED))
        self.assertTrue(correct.judge({**SENT, "errors": 1}, COUNTED))

    def test_a_steady_soak_and_one_that_grows(self):
        self.assertEqual(soak.judge(SAMPLES, 200), [])
        growing = [{**sample, "rss_kib": 20_000 + 100 * sample["second"]} for sample in SAMPLES]
        self.assertIn("memory grew", soak.judge(growing, 200)[0])
        leaking = [{**sample, "descriptors": int(sample["second"])} for sample in SAMPLES]
        self.assertIn("descriptors grew", soak.judge(leaking, 200)[0])
        self.assertIn("too few", soak.judge(SAMPLES[:10], 200)[0])

    def test_what_fails_a_run(self):
        self.assertEqual(report.problems(canned()), [])
        bad = canned()
        bad["correct"]["countersign"]["plain"]["problems"] = ["2 signatures are wrong"]
        bad["soak"]["problems"] = ["grew"]
        bad["failures"] = {"W9": "errors on port 1"}
        self.assertEqual(len(report.problems(bad)), 3)
        self.assertIn("**FAILED** W9: errors on port 1", report.markdown(bad))


class Counting(unittest.TestCase):
    """The counting upstream, fed with requests as the verifier reads them."""

    def request(self, key, number, signature="c2ln"):
        body = b'{"idempotent_key":"idp-%s"}' % number
        made = verifier.parse_head(
            b"POST /x HTTP/1.1\r\nHost: h\r\nAuthorization: hmac username=\"u\", algorithm=\"hmac-sha512\", "
            b"headers=\"request-line\", signature=\"%s\"\r\nIdempotency-Key: %s" % (signature.encode(), key))
        made.body = body
        return made

    def service(self, check):
        return counting.Counting(SimpleNamespace(check=check), None)

    def report(self, service):
        return service.judge(verifier.parse_head(b"GET /_keys HTTP/1.1\r\nHost: h"))[1]

    def test_keys_are_counted_and_compared_with_the_body(self):
        service = self.service(lambda request, now: None)
        for key, number in ((b"a-0000000001", b"0000000001"), (b"a-0000000001", b"0000000001"),
                            (b"a-0000000002", b"0000000003")):
            self.assertEqual(service.judge(self.request(key, number))[0], 200)
        said = self.report(service)
        self.assertEqual((said["good"], said["keys"], said["doubled"], said["mixed"]), (3, 2, 1, 1))

    def test_a_wrong_signature_is_counted_and_refused(self):
        rule = verifier.Verifier(b"u", b"s", b"hmac-sha512", b"k", "header")
        service = counting.Counting(rule, None)
        status, _ = service.judge(self.request(b"a-0000000001", b"0000000001"))
        said = self.report(service)
        self.assertEqual((status, said["good"], said["bad"], len(said["reasons"])), (401, 0, 1, 1))
        self.assertTrue(correct.judge(SENT, said))


class Options(unittest.TestCase):
    def refused(self, *words):
        with redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
            run.arguments(words)
        return said.getvalue()

    def test_what_runs(self):
        self.assertEqual(len(run.arguments([]).only), len(scenarios.ALL))
        self.assertEqual(run.arguments(["--quick"]).only, list(run.QUICK))
        self.assertEqual(run.arguments(["--soak"]).soak, 600)
        self.assertEqual(run.arguments(["--soak", "30"]).only, [])
        self.assertEqual(len(run.arguments(["--soak", "--only", "all"]).only), len(scenarios.ALL))
        self.assertEqual(run.arguments(["--correct", "--only", "W1"]).only, ["W1"])

    def test_refusals_name_the_option(self):
        self.assertIn("--only: no scenario W9", self.refused("--only", "W9"))
        self.assertIn("--soak is", self.refused("--soak", "1"))
        self.assertIn("--rounds is", self.refused("--rounds", "0"))

    def test_names_of_peers(self):
        self.assertIs(peers.features("new"), peers.FULL)
        self.assertIs(peers.features("bare-new"), peers.BARE)
        with self.assertRaisesRegex(Failure, "COUNTERSIGN_NO_SUCH"):
            peers.program("no-such")
        self.assertEqual((peers.place("limit"), peers.place("body")), ("header", "body"))


class Scenarios(unittest.TestCase):
    def test_own_peers_win_and_others_are_left_out(self):
        self.assertEqual(scenarios.BY_KEY["I1"].chosen(["limit"]), ("off", "memory", "sqlite"))
        self.assertEqual(scenarios.BY_KEY["N1"].chosen(["limit", "nginx"]), ("nginx",))

    def test_idle_connections_fit_the_descriptors(self):
        self.assertEqual(scenarios.BY_KEY["C50"].fitted(250_000).idle, 50_000)
        fitted = scenarios.BY_KEY["C50"].fitted(20_000)
        self.assertEqual(fitted.idle, 13_000)
        self.assertIn("do not allow 50,000", fitted.title)

    def test_bodies_around_every_edge_below_the_size(self):
        sizes = verify.body_sizes(scenarios.BY_KEY["W1"])
        self.assertTrue({63, 64, 65, 215, 4097} <= set(sizes))
        self.assertLess(max(sizes), 14_337)
        self.assertIn(1 << 20, verify.body_sizes(scenarios.BY_KEY["W4"]))

    def test_the_generators_command(self):
        f1 = scenarios.BY_KEY["F1"]
        words = load.generator_command("http://127.0.0.1:1", f1, 4, rate=2000)
        self.assertEqual(words[1:3], ["--target", "http://127.0.0.1:1/banking/users/create"])
        self.assertEqual(words[-2:], ["--rate", "2000"])
        words = load.generator_command(f"unix:{OUT}/s", f1, 4, keys="k")
        self.assertEqual(words[1:5], ["--target", f"unix:{OUT}/s", "--path", "/banking/users/create"])
        self.assertEqual(words[-3:], ["--closed", "--keys", "k"])


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.cells, self.figures, self.outside = 0, 0, []

    def handle_starttag(self, tag, attrs):
        self.cells += tag == "td"
        self.figures += tag == "svg"
        self.outside += [value for key, value in attrs if key in ("src", "href") and not value.startswith("#")]


class Reports(unittest.TestCase):
    def test_tables(self):
        text = report.markdown(canned())
        self.assertIn("| countersign | 12.0 / 15.0 / 22.0 | 1.10 / 1.20 / 1.50 |", text)
        self.assertIn("x off", text)
        self.assertIn("memory: 100 claims in 8 commits, 0.080 per claim", text)
        self.assertIn("the generator itself was late: countersign 1", text)
        for line in text.splitlines():
            self.assertNotIn("nan", line)
        heads = [line.count("|") for line in text.splitlines() if line.startswith("| peer")]
        self.assertEqual(len(heads), 5)

    def test_what_plots_show(self):
        curve = plots.percentile_curve([[50.0, 90], [100.0, 9], [900.0, 1]])
        self.assertAlmostEqual(curve[0][0], 1.0)
        self.assertAlmostEqual(curve[1][0], 2.0)
        self.assertAlmostEqual(curve[2][0], plots.nines(99.5))
        names, values, errors = plots.bars(report.summarize("closed", CLOSED), "us_per_request")
        self.assertEqual((names[2], values[2], errors[0][2], errors[1][2]), ("countersign", 15, 3, 7))
        scenes = canned()["scenarios"]
        self.assertEqual(plots.cost_title("W1", scenes["W1"]),
                         "W1: countersign takes 1.20x limit, 0.73x haproxy in CPU time")
        self.assertEqual(plots.cost_title("I1", scenes["I1"]), "I1: memory takes 1.50x off in CPU time")
        self.assertIn("adds 60 us at p50", plots.latency_title("F1", scenes["F1"]))
        self.assertIn("160 bytes per idle", plots.idle_title("C5", scenes["C5"]))
        self.assertIn("steady", plots.soak_title(canned()["soak"]))

    def test_the_page_needs_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write(canned(), Path(folder))
            page = (Path(folder) / "report.html").read_text(encoding="utf-8")
            json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        reader = Reader()
        reader.feed(page)
        self.assertEqual(reader.outside, [])
        self.assertGreater(reader.cells, 40)
        self.assertIn("a &lt;closed&gt; one", page)
        if plots.available():
            self.assertEqual(reader.figures, 5)


class Templates(unittest.TestCase):
    def test_every_word_of_a_template_is_filled_in(self):
        import re
        sources = "".join((HERE / "harness" / name).read_text() for name in ("peers.py", "upstreams.py"))
        for path in [*HERE.glob("peers/*.in"), *HERE.glob("upstream/*.in")]:
            for word in set(re.findall(r"@([A-Z_]+)@", path.read_text(encoding="utf-8"))):
                self.assertRegex(sources, rf"\b{word}=", f"{path.name}: {word}")

    def test_the_entry_explains_itself(self):
        done = subprocess.run([sys.executable, HERE / "run.py", "--help"], capture_output=True, text=True, check=True)
        for scenario in scenarios.ALL:
            self.assertIn(scenario.title, done.stdout)


if __name__ == "__main__":
    unittest.main()
