"""From rounds to a report: spreads and ratios, Markdown tables, one page of HTML. Pure but for the writing of files.

Ratios are taken within one round: a machine's moods move all peers of a round alike.
"""

import html
import json
import statistics

from . import plots
from .settings import OUT
from .soak import settled

BASES = ("limit", "haproxy", "nginx")
CLOSED = ("us_per_request", "requests_per_second", "cpu_waited", "machine_busy", "p50", "p99", "rss_kib")
OPEN = ("p50", "p90", "p99", "p99_9", "max", "late_p99", "us_per_request")
ADDED = ("p50", "p99", "p99_9", "max")
IDLE = ("start_kib", "before_kib", "after_kib", "bytes_per_connection")
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}
th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{background:#f2f2f2}
svg{max-width:100%;height:auto}figure{margin:1rem 0}.bad{color:#a00000;font-weight:600}
"""


def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def ratios(rounds, name, base, key="us_per_request"):
    """Spread of the ratios of each round."""
    return spread([entry[name][key] / entry[base][key] for entry in rounds])


def summarize(kind, rounds, base=""):
    """What the tables and plots show of a scenario's rounds, by peer."""
    names = list(rounds[0])
    keys = {"open": OPEN, "idle": IDLE}.get(kind, CLOSED)
    summary = {name: {key: spread([entry[name][key] for entry in rounds]) for key in keys} for name in names}
    for name, one in summary.items():
        if kind in ("open", "closed", "generator"):
            for other in dict.fromkeys((*BASES, base)):
                if other in names and name != "direct":
                    one[f"ratio_to_{other}"] = ratios(rounds, name, other)
        if kind == "open":
            for key in ADDED:
                one[f"added_{key}"] = spread([entry[name][key] - entry["direct"][key] for entry in rounds])
            one["late_rounds"] = sum(not entry[name]["in_time"] for entry in rounds)
    return summary


def cell(one, key, form, scale=1):
    """min / median / max, or - where there is none."""
    if key not in one:
        return "-"
    return " / ".join(form.format(one[key][part] * scale) for part in ("min", "median", "max"))


def columns(kind, summary, base):
    """The table's columns: title, and how a peer's cell is made."""
    if kind == "idle":
        return [
            ("resident at start, MB", lambda one: f"{one['start_kib']['median'] / 1024:.1f}"),
            ("resident with them, MB", lambda one: f"{one['after_kib']['median'] / 1024:.1f}"),
            ("bytes per idle connection", lambda one: cell(one, "bytes_per_connection", "{:,.0f}"))]
    found = [(f"x {other}", f"ratio_to_{other}") for other in dict.fromkeys((*BASES, base)) if other in summary]
    ratio = [(title, lambda one, key=key: cell(one, key, "{:.2f}")) for title, key in found]
    cost = [("us CPU per request", lambda one: cell(one, "us_per_request", "{:.1f}"))]
    if kind == "open":
        shown = [(f"{title} us", lambda one, key=key: cell(one, key, "{:,.0f}"))
                 for title, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p99_9"), ("max", "max"))]
        added = [(f"added {title}", lambda one, key=key: cell(one, f"added_{key}", "{:,.0f}"))
                 for title, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p99_9"), ("max", "max"))]
        late = [("generator late, p99 us", lambda one: cell(one, "late_p99", "{:.0f}"))]
        return shown + added + cost + ratio + late
    return cost + ratio + [
        ("requests/s", lambda one: cell(one, "requests_per_second", "{:,.0f}")),
        ("p50 us", lambda one: f"{one['p50']['median']:,.0f}"),
        ("p99 us", lambda one: f"{one['p99']['median']:,.0f}"),
        ("resident MB", lambda one: f"{one['rss_kib']['max'] / 1024:.1f}"),
        ("waited", lambda one: f"{one['cpu_waited']['max']:.0%}")]


def table(result):
    """Rows of cells, the head first."""
    shown = columns(result["kind"], result["summary"], result["base"])
    rows = [["peer", *(title for title, _ in shown)]]
    return rows + [[name, *(make(one) for _, make in shown)] for name, one in result["summary"].items()]


def size_table(sizes):
    rows = [["program", "bytes", "without symbols"]]
    return rows + [[name, f"{one['bytes']:,}", f"{one['stripped']:,}" if "stripped" in one else "-"]
                   for name, one in sizes.items()]


def correct_table(correct):
    rows = [["peer", "load", "verified", "wrong", "keys", "doubled", "verdict"]]
    for name, phases in correct.items():
        for key, one in phases.items():
            rows.append([name, key, f"{one['good']:,}", str(one["bad"]), f"{one['keys']:,}", str(one["doubled"]),
                         "; ".join(one["problems"]) or "right"])
    return rows


def cross_table(cross):
    rows = [["target", "requests/s, ours / h2load", "p50 us, ours / h2load", "differences", "verdict"]]
    for one in cross.values():
        pairs = [" / ".join(f"{statistics.median(entry[name][key] for entry in one['rounds']):,.0f}"
                            for name in ("generator", "h2load")) for key in ("requests_per_second", "p50")]
        rows.append([one["title"], *pairs, ", ".join(f"{value:+.1%}" for value in one["differences"].values()),
                     "; ".join(one["problems"]) or "agree"])
    return rows


def soak_table(soak):
    samples = settled(soak["samples"], soak["seconds"]) or soak["samples"]
    first, last = samples[0], samples[-1]
    head = ["seconds", "requests", "resident MB, after warm-up / last", "descriptors, after warm-up / last", "p99 us",
            "verdict"]
    return [head,
            [str(soak["seconds"]), f"{soak['requests']:,}",
             f"{first['rss_kib'] / 1024:.1f} / {last['rss_kib'] / 1024:.1f}",
             f"{first['descriptors']} / {last['descriptors']}", f"{soak['latency_us']['p99']:,.0f}",
             "; ".join(soak["problems"]) or "steady"]]


def notes(result):
    """Sentences under a scenario's table."""
    lines = [f"{name}: {said['claims']:,} claims in {said['commits']:,} commits, "
             f"{said['commits'] / max(1, said['claims']):.3f} per claim; {said['keys']:,} keys."
             for name, said in result.get("stores", {}).items()]
    if result["kind"] == "open":
        fifo = all(entry[name]["fifo"] for entry in result["rounds"] for name in entry)
        lines.append("Generator, upstream and peers ran as SCHED_FIFO." if fifo
                     else "SCHED_FIFO was not allowed: other work on the machine is in these figures.")
        late = {name: one["late_rounds"] for name, one in result["summary"].items() if one["late_rounds"]}
        if late:
            lines.append("Rounds in which the generator itself was late: "
                         + ", ".join(f"{name} {count}" for name, count in late.items()) + ".")
    return lines


def sections(report):
    """The report's parts in order: title, table, sentences, and the figures' names."""
    parts = [(f"{key}: {result['title']}", table(result), notes(result), [key])
             for key, result in report["scenarios"].items()]
    if report.get("sizes"):
        parts.append(("Programs", size_table(report["sizes"]), [], []))
    if report.get("correct"):
        parts.append(("Correctness under load", correct_table(report["correct"]), [], []))
    if report.get("cross_check"):
        parts.append(("The generator beside h2load --h1", cross_table(report["cross_check"]), [], []))
    if report.get("soak"):
        parts.append((f"Soak: {report['soak']['title']}", soak_table(report["soak"]), [], ["soak"]))
    return parts


def markdown(report):
    lines = ["# Load test", "",
             f"{report['rounds']} rounds of {report['seconds']} s: min / median / max; ratios within one round.", ""]
    for title, rows, sentences, _ in sections(report):
        ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
        lines += [f"## {title}", "", *("| " + " | ".join(row) + " |" for row in ruled), ""]
        lines += [line + "\n" for line in sentences]
    lines += [f"**FAILED** {problem}\n" for problem in problems(report)]
    lines += [f"- {key}: {value}" for key, value in report["versions"].items()]
    return "\n".join(lines) + "\n"


def page(report, figures):
    """One page of HTML that needs nothing else; `figures` are texts of SVG by name."""
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>Load test</title><style>{STYLE}</style>",
             "<h1>Load test</h1><p>Read ratios first: they are taken within one round. Cells are min / median / max of "
             f"{report['rounds']} rounds of {report['seconds']} s.</p>"]
    for title, rows, sentences, names in sections(report):
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts += [f"<figure>{figures[name]}</figure>" for name in names if name in figures]
        parts.append("<table><tr>" + "".join(f"<th>{html.escape(text)}</th>" for text in rows[0]) + "</tr>")
        for row in rows[1:]:
            bad = ' class="bad"' if rows[0][-1] == "verdict" and row[-1] not in ("right", "agree", "steady") else ""
            parts.append(f"<tr{bad}>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>")
        parts.append("</table>" + "".join(f"<p>{html.escape(line)}</p>" for line in sentences))
    parts += [f'<p class="bad">FAILED {html.escape(problem)}</p>' for problem in problems(report)]
    parts.append("<h2>Versions</h2><ul>" + "".join(
        f"<li>{html.escape(key)}: {html.escape(str(value))}</li>" for key, value in report["versions"].items()))
    parts.append("</ul>")
    return "\n".join(parts) + "</html>\n"


def problems(report):
    """What fails the run, as sentences."""
    found = [f"{key}: {text}" for key, text in report.get("failures", {}).items()]
    found += [f"correctness: {name}, {key}: {problem}" for name, phases in report.get("correct", {}).items()
             for key, one in phases.items() for problem in one["problems"]]
    found += [f"cross-check: {key}: {problem}" for key, one in report.get("cross_check", {}).items()
              for problem in one["problems"]]
    return found + [f"soak: {problem}" for problem in report.get("soak", {}).get("problems", [])]


def write(report, folder=OUT):
    """report.json, report.md and, where there is a library for plots, report.html."""
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    figures = plots.svg(plots.draw(report)) if plots.available() else {}
    (folder / "report.html").write_text(page(report, figures), encoding="utf-8")
