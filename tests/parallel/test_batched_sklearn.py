"""scikit-learn's installed tests of searches and validation, inside the backend."""

import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn
from sklearn.tests import metadata_routing_common

FOLDER = "sklearn.model_selection.tests"

STACK_READERS = {
    "test_search": ["test_multi_metric_search_forwards_metadata"],
    "test_successive_halving": [],
    "test_validation": [
        "test_validation_functions_routing",
        "test_learning_curve_exploit_incremental_learning_routing",
    ],
}
"""Tests left out: their helper finds the function that called a method in the Python
call stack, and a task has a stack of its own."""


def run_upstream(name):
    """Run a test file in another process, every fit of which waits for others."""
    own = [Path(__file__).parent, Path(__file__).parents[2]]
    path = os.pathsep.join(map(str, [*own, os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [
            *[sys.executable, "-m", "pytest", "-q", "-c", os.devnull],
            *["-p", "parked_fits", "-p", "no:cacheprovider"],
            *["--rootdir", Path(sklearn.__file__).parent, "--pyargs"],
            f"{FOLDER}.{name}",
            *["-k", " and ".join(f"not {test}" for test in STACK_READERS[name])],
        ],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", STACK_READERS)
def test_upstream_passes_with_every_fit_waiting(name):
    run = run_upstream(name)
    assert run.returncode == 0, run.stdout
    passed = int(re.search(r"(\d+) passed", run.stdout)[1])
    waited, trainings = map(
        int, re.search(r"(\d+) waited in (\d+)", run.stdout).groups()
    )
    assert passed >= 100
    assert waited > 2 * trainings > 200


def test_the_helper_reads_the_stack():
    """An exclusion ends with the reason for it."""
    assert "inspect.stack()" in inspect.getsource(
        metadata_routing_common.record_metadata
    )
    for name, tests in STACK_READERS.items():
        path = importlib.util.find_spec(f"{FOLDER}.{name}").origin
        text = Path(path).read_text(encoding="utf-8")
        functions = {
            node.name: ast.get_source_segment(text, node)
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef)
        }
        for test in tests:
            assert "check_recorded_metadata(" in functions[test]
