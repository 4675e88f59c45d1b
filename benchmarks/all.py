"""Run every benchmark, or those named, and rewrite the measured part of RESULTS.md.

``python -m benchmarks.all [--quick] [name ...]``; what is not named keeps its figures.
"""

import argparse
import time
from pathlib import Path

from benchmarks import (
    accuracy,
    autoencoder,
    batched,
    cluster,
    conv,
    fit,
    floor,
    gan,
    graph_accuracy,
    graphs,
    memmap,
    overhead,
    predict,
    pronunciation,
    sequence_accuracy,
    sequences,
    sparse,
    steps,
    toolbox,
)
from benchmarks._report import Report, get_json_path, make_goal_table, make_table
from benchmarks._timing import OtherLoad, describe_machine

ORDER = [fit, floor, predict, overhead, toolbox, batched, sparse, memmap, conv]
ORDER += [sequences, steps, autoencoder, gan, graphs, accuracy, sequence_accuracy]
ORDER += [graph_accuracy, pronunciation, cluster]
BENCHMARKS = {module.__name__.rpartition(".")[2]: module for module in ORDER}
COMMAND = "python -m benchmarks.all"
RESULTS = Path(__file__).parent / "RESULTS.md"
BEGIN = "<!-- measured: begin; python -m benchmarks.all rewrites this part -->"
END = "<!-- measured: end -->"


def make_results(reports: dict[str, tuple[Report, dict[str, str]]]) -> str:
    """Machine, goals beside figures, and every table, as Markdown.

    The machine is that of the last report, of which the others say how they differ.
    """
    machines = [machine for _, machine in reports.values()]
    details = [[name, value] for name, value in machines[-1].items()]
    details.append(["command", f"`{COMMAND}`"])
    goals = [goal for report, _ in reports.values() for goal in report.goals]
    return "\n\n".join(
        [
            make_table(["", "measured on"], details),
            "## Goals",
            make_goal_table(goals),
            "## Tables",
            *(
                f"{report.to_markdown()}{describe_difference(machine, machines[-1])}"
                for report, machine in reports.values()
            ),
        ]
    )


def describe_difference(machine: dict[str, str], other: dict[str, str]) -> str:
    """Note of what was otherwise when a table was measured, if anything."""
    changes = [f"{k}: {v}" for k, v in machine.items() if other.get(k) != v]
    return f"\n- Measured with {'; '.join(changes)}." if changes else ""


def replace_measured(page: str, measured: str) -> str:
    """Put new figures between the markers; what is written by hand stays."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"RESULTS.md must hold the lines {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}"


def main() -> None:
    """Measure what is asked for; a quick run prints and writes nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.all")
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS])
    parser.add_argument("--quick", action="store_true", help="few repeats; only print")
    options = parser.parse_args()
    names, reports = options.names or list(BENCHMARKS), {}
    for name, benchmark in BENCHMARKS.items():
        if name in names:
            others, start = OtherLoad(), time.perf_counter()
            report = benchmark.measure(options.quick)
            reports[name] = report, describe_machine(others)
            print(f"{report.title}: {time.perf_counter() - start:.0f} s", flush=True)
            if not options.quick:
                report.save_json(reports[name][1])
        elif not options.quick and get_json_path(name).exists():
            reports[name] = Report.load_json(name)
    measured = make_results(reports)
    print(measured)
    if not options.quick:
        RESULTS.write_text(replace_measured(RESULTS.read_text(), measured))


if __name__ == "__main__":
    main()
