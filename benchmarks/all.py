"""Run every benchmark and rewrite the measured part of RESULTS.md.

``python -m benchmarks.all [--quick]``
"""

import time
from pathlib import Path

from benchmarks import conv, fit, floor, memmap, overhead, predict, sparse, toolbox
from benchmarks._report import Report, make_goal_table, make_table, parse_quick
from benchmarks._timing import OtherLoad, describe_machine

BENCHMARKS = [fit, conv, floor, predict, overhead, toolbox, sparse, memmap]
COMMAND = "python -m benchmarks.all"
RESULTS = Path(__file__).parent / "RESULTS.md"
BEGIN = "<!-- measured: begin; python -m benchmarks.all rewrites this part -->"
END = "<!-- measured: end -->"


def make_results(machine: dict[str, str], reports: list[Report]) -> str:
    """Machine, goals beside figures, and every table, as Markdown."""
    details = [[name, value] for name, value in machine.items()]
    details.append(["command", f"`{COMMAND}`"])
    goals = [goal for report in reports for goal in report.goals]
    return "\n\n".join(
        [
            make_table(["", "measured on"], details),
            "## Goals",
            make_goal_table(goals),
            "## Tables",
            *(report.to_markdown() for report in reports),
        ]
    )


def replace_measured(page: str, measured: str) -> str:
    """Put new figures between the markers; what is written by hand stays."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"RESULTS.md must hold the lines {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}"


def main() -> None:
    """Measure everything; a quick run prints and writes nothing."""
    quick = parse_quick("benchmarks.all")
    others = OtherLoad()
    reports = []
    for benchmark in BENCHMARKS:
        start = time.perf_counter()
        reports.append(benchmark.measure(quick))
        print(f"{reports[-1].title}: {time.perf_counter() - start:.0f} s", flush=True)
    machine = describe_machine(others)
    measured = make_results(machine, reports)
    print(measured)
    if quick:
        return
    for report in reports:
        report.save_json(machine)
    RESULTS.write_text(replace_measured(RESULTS.read_text(), measured))


if __name__ == "__main__":
    main()
