"""What a benchmark found: Markdown for people, JSON for programs."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks._timing import OtherLoad, describe_machine

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Goal:
    """A figure with the bound it should keep; either bound may be None."""

    what: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the measured figure keeps its bounds."""
        above = self.at_least is None or self.measured >= self.at_least
        return above and (self.at_most is None or self.measured <= self.at_most)

    @property
    def row(self) -> list[str]:
        """Cells of the table of goals."""
        bounds = [(">=", self.at_least), ("<=", self.at_most)]
        goal = " and ".join(f"{s} {b:g}{self.unit}" for s, b in bounds if b is not None)
        verdict = "met" if self.met else "**not met**"
        return [self.what, goal, f"{self.measured:.3g}{self.unit}", verdict]


@dataclass
class Report:
    """Tables and goals of one benchmark.

    Parameters
    ----------
    name : str
        Module of the benchmark; names the JSON file.
    title : str
        Heading of its tables.
    columns, rows : list
        The table, cells already formatted.
    goals : list of Goal
    notes : list of str
        What a reader must know to read the table rightly.
    seconds : dict
        Every time taken, by row of the table and competitor.
    """

    name: str
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add_row(self, *cells: str) -> None:
        """Add a row to the table, and show it to whoever is waiting."""
        self.rows.append(list(cells))
        print(" | ".join(cells), file=sys.stderr, flush=True)

    def to_markdown(self) -> str:
        """Heading, table and notes."""
        notes = "\n".join(f"- {note}" for note in self.notes)
        parts = [f"### {self.title}", make_table(self.columns, self.rows), notes]
        return "\n\n".join(part for part in parts if part)

    @classmethod
    def load_json(cls, name: str) -> tuple["Report", dict[str, str]]:
        """Read what `save_json` wrote, with its machine."""
        content = json.loads(get_json_path(name).read_text())
        machine = content.pop("machine")
        goals = [Goal(**goal) for goal in content.pop("goals")]
        return cls(**content, goals=goals), machine

    def save_json(self, machine: dict[str, str]) -> None:
        """Write ``results/<name>.json``."""
        RESULTS.mkdir(exist_ok=True)
        content = asdict(self) | {"machine": machine}
        get_json_path(self.name).write_text(json.dumps(content, indent=1) + "\n")


def get_json_path(name: str) -> Path:
    """Get where the figures of a benchmark are kept."""
    return RESULTS / f"{name}.json"


def make_table(columns: list[str], rows: list[list[str]]) -> str:
    """Make a Markdown table; its first column is text, the others are figures."""
    rule = ["---"] + ["---:"] * (len(columns) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [columns, rule, *rows])


def make_goal_table(goals: list[Goal]) -> str:
    """Goals beside what was measured."""
    columns = ["what", "goal", "measured", ""]
    return make_table(columns, [goal.row for goal in goals])


def format_ratio(quartiles) -> str:
    """Median of the ratios with their quartiles: ``2.51 (2.40-2.63)``."""
    low, middle, high = quartiles
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def run_from_command_line(measure: Callable[[bool], Report]) -> None:
    """Parse ``--quick``, measure, print; keep the figures of a full run as JSON."""
    quick = parse_quick(measure.__module__)
    others = OtherLoad()
    report = measure(quick)
    machine = describe_machine(others)
    print(report.to_markdown(), make_goal_table(report.goals), sep="\n\n")
    print(f"\nbusy with other work: {machine['busy with other work']}")
    if not quick:
        report.save_json(machine)


def parse_quick(program: str) -> bool:
    """Whether ``--quick`` was asked for."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument(
        "--quick", action="store_true", help="few repeats; print, write nothing"
    )
    return parser.parse_args().quick
