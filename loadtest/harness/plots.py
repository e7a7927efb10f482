"""The report's plots. What is drawn is prepared by pure functions; matplotlib is used by `draw` and below only.

Colours are Okabe and Ito's, which those who do not see red or green tell apart, too; titles say what a plot shows.
"""

import html
import importlib.util
import io
import math

from .soak import settled

COLOURS = {"limit": "#7f7f7f", "haproxy": "#E69F00", "nginx": "#009E73", "countersign": "#0072B2", "bare": "#56B4E9",
           "direct": "#000000"}
OTHERS = ("#D55E00", "#CC79A7", "#56B4E9", "#009E73", "#F0E442", "#0072B2")
STYLES = ("-", "--", "-.", ":")
# Percentiles that the log axis names.
TICKS = (50, 90, 99, 99.9, 99.99, 99.999)


def available():
    return importlib.util.find_spec("matplotlib") is not None


def colour(names, name):
    """The peer's own colour, or the next that is free."""
    others = [one for one in names if one not in COLOURS]
    return COLOURS.get(name) or OTHERS[others.index(name) % len(OTHERS)]


def nines(percent):
    """Where a percentile lies on an axis on which each further nine is as far as the one before."""
    return -math.log10(max(1e-9, 1 - percent / 100))


def percentile_curve(histogram):
    """Points (nines, microseconds) of [microseconds, count] in order; the last at the last whole request."""
    total = sum(count for _, count in histogram)
    points, seen = [], 0
    for value, count in histogram:
        seen += count
        points.append((nines(100 * min(seen, total - 0.5) / total), value))
    return points


def median(summary, name, key):
    return summary[name][key]["median"]


def subject(summary, base=""):
    """The peer that a title is about: the full gateway, or the last that is compared with the base."""
    if "countersign" in summary and base != "countersign":
        return "countersign"
    names = [name for name in summary if name not in ("direct", "limit", "haproxy", "nginx", base)]
    return names[-1] if names else None


def cost_title(key, result):
    """What a plot of CPU time shows, as a sentence."""
    summary, base = result["summary"], result["base"]
    name = subject(summary, base)
    if name is None:
        return f"{key}: CPU time per request"
    others = [other for other in dict.fromkeys(("limit", "haproxy", "nginx", base))
              if other != name and f"ratio_to_{other}" in summary[name]]
    said = [f"{median(summary, name, f'ratio_to_{other}'):.2f}x {other}" for other in others]
    if not said:
        return f"{key}: {name} takes {median(summary, name, 'us_per_request'):.1f} us of CPU time per request"
    return f"{key}: {name} takes {', '.join(said)} in CPU time"


def latency_title(key, result):
    name = subject(result["summary"])
    if name is None:
        return f"{key}: latency at a fixed rate"
    return (f"{key}: {name} adds {median(result['summary'], name, 'added_p50'):.0f} us at p50 and "
            f"{median(result['summary'], name, 'added_p99'):.0f} us at p99")


def idle_title(key, result):
    name = subject(result["summary"])
    if name is None:
        return f"{key}: memory of idle connections"
    held = median(result["summary"], name, "bytes_per_connection")
    return f"{key}: {name} holds {held:,.0f} bytes per idle connection"


def soak_title(soak):
    samples = settled(soak["samples"], soak["seconds"]) or soak["samples"]
    first, last = samples[0], samples[-1]
    verdict = "steady" if not soak["problems"] else "NOT steady"
    return (f"Soak: {verdict}, after the warm-up {first['rss_kib'] / 1024:.1f} to {last['rss_kib'] / 1024:.1f} MB and "
            f"{first['descriptors']} to {last['descriptors']} descriptors")


def bars(summary, key, scale=1.0):
    """Names, medians, and how far below and above them the rounds reach."""
    rows = [(name, one[key]) for name, one in summary.items() if name != "direct"]
    return ([name for name, _ in rows], [one["median"] * scale for _, one in rows],
            [[(one["median"] - one["min"]) * scale for _, one in rows],
             [(one["max"] - one["median"]) * scale for _, one in rows]])


# --- from here on with matplotlib

def canvas(width, height):
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams.update({
        "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11,
        "axes.titlelocation": "left", "svg.hashsalt": "countersign"})
    from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="tight")


def draw_bars(figure, position, summary, key, title, unit, scale=1.0, form="{:.1f}"):
    axes = figure.add_subplot(*position)
    names, values, errors = bars(summary, key, scale)
    axes.barh(names, values, xerr=errors, color=[colour(names, name) for name in names], capsize=3,
              error_kw={"elinewidth": 1, "ecolor": "#333333"})
    furthest = max(value + above for value, above in zip(values, errors[1]))
    for index, value in enumerate(values):
        edge = max(0, value + errors[1][index]) + furthest * 0.01
        axes.text(edge, index, form.format(value), va="center", fontsize=9)
    axes.set_xlim(min(0, min(values)), furthest * 1.12 or 1)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,g}" if furthest < 10 else "{x:,.0f}")
    axes.set_xlabel(unit)
    axes.set_title(title)
    return axes


def draw_cost(key, result):
    figure = canvas(8, 1.3 + 0.42 * len(result["summary"]))
    draw_bars(figure, (1, 1, 1), result["summary"], "us_per_request", cost_title(key, result),
              "CPU time per request, microseconds (bar: median of rounds, whisker: min to max)")
    return figure


def draw_latency(key, result):
    figure = canvas(8, 4.8)
    axes = figure.add_subplot(1, 1, 1)
    names = list(result["histograms"])
    furthest = 1.0
    for index, name in enumerate(names):
        points = percentile_curve(result["histograms"][name])
        furthest = max(furthest, points[-1][0])
        axes.plot([x for x, _ in points], [y for _, y in points], STYLES[index % len(STYLES)],
                  color=colour(names, name), label=name, linewidth=1.6)
    ticks = [percent for percent in TICKS if nines(percent) <= furthest + 0.01]
    axes.set_xticks([nines(percent) for percent in ticks], [f"{percent:g}" for percent in ticks])
    axes.set_xlim(0, furthest)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(True, which="both", color="#e0e0e0", linewidth=0.5)
    axes.set_xlabel("percentile of all rounds' requests (each further nine is as far as the one before)")
    axes.set_ylabel("latency from the due time, microseconds")
    axes.set_title(latency_title(key, result))
    axes.legend(frameon=False)
    return figure


def draw_idle(key, result):
    figure = canvas(8, 2.2 + 0.84 * len(result["summary"]))
    draw_bars(figure, (2, 1, 1), result["summary"], "bytes_per_connection", idle_title(key, result),
              "resident memory per idle connection, bytes", form="{:,.0f}")
    draw_bars(figure, (2, 1, 2), result["summary"], "after_kib", "Resident memory with all of them",
              "resident memory, MB (1024 KiB)", scale=1 / 1024)
    return figure


def draw_soak(soak):
    figure = canvas(8, 4.8)
    seconds = [sample["second"] for sample in soak["samples"]]
    upper, lower = figure.add_subplot(2, 1, 1), figure.add_subplot(2, 1, 2)
    upper.plot(seconds, [sample["rss_kib"] / 1024 for sample in soak["samples"]], color=COLOURS["countersign"])
    upper.set_ylabel("resident memory, MB")
    upper.set_title(soak_title(soak))
    lower.plot(seconds, [sample["descriptors"] for sample in soak["samples"]], color=OTHERS[0])
    lower.set_ylabel("open descriptors")
    lower.set_xlabel("seconds since the load began")
    for axes in (upper, lower):
        axes.set_ylim(0, axes.dataLim.y1 * 1.1)
        axes.grid(True, color="#e0e0e0", linewidth=0.5)
    return figure


def draw(report):
    """Figures by scenario, and `soak`; empty where there is nothing to draw."""
    kinds = {"closed": draw_cost, "generator": draw_cost, "open": draw_latency, "idle": draw_idle}
    figures = {key: kinds[result["kind"]](key, result) for key, result in report["scenarios"].items()}
    if report.get("soak"):
        figures["soak"] = draw_soak(report["soak"])
    return figures


def svg(figures):
    """Texts of SVG to be put into a page."""
    texts = {}
    for name, figure in figures.items():
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        # What stands before the element is for files of their own. The title is what a screen reader says.
        title = html.escape(figure.axes[0].get_title(loc="left"), quote=True)
        texts[name] = f'<svg role="img" aria-label="{title}" ' + text.getvalue().partition("<svg ")[2]
    return texts
