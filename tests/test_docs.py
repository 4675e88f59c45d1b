"""The user guide's pages run as they are printed, the searches of tuning shorter."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent, indent

import matplotlib
import matplotlib.pyplot as plt
import pytest

DOCS = Path(__file__).parents[1] / "docs"


def get_blocks(text):
    """Get the literal blocks of a page, those after a double colon."""
    found = re.findall(r"^(?!\.\. ).*::\n\n((?:    .*\n|\n)+)", text, re.M)
    return [dedent(block) for block in found]


def run_blocks(text, n_blocks):
    """Run the blocks of a page one after another, and get what they have named."""
    matplotlib.use("Agg")
    blocks = get_blocks(text)
    assert len(blocks) == n_blocks
    names = {}
    for block in blocks:
        exec(compile(block, "page", "exec"), names)
    plt.close("all")
    return names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_tuning_runs():
    text = (DOCS / "tuning.rst").read_text(encoding="utf-8")
    names = run_blocks(text.replace("n_iter=20", "n_iter=6"), n_blocks=7)
    assert names["rates"].best_params_ == {"mlp__learning_rate_init": 1e-2}
    for name in ("rates", "search", "halving", "which", "own"):
        loss = -names[name].score(names["X_test"], names["y_test"])
        assert loss < 0.2, name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_searches_as_one_network_runs():
    text = (DOCS / "batched.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=2)
    assert names["search"].best_score_ > 0.9


def test_the_page_on_convolutions_runs():
    text = (DOCS / "conv.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=4)
    model = names["model"]
    assert names["features"].shape == (450, 128)
    assert model.score(names["X_test"], names["y_test"]) > 0.95


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_sequences_runs():
    text = (DOCS / "sequences.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=1)
    assert names["scores"].min() > 0.8


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_recurrent_networks_runs():
    text = (DOCS / "recurrent.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=1)
    assert names["model"].score(names["X"][150:], names["y"][150:]) > 0.85


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_transformers_runs():
    text = (DOCS / "transformer.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=3)
    assert list(names["model"].predict(["a good one", "bad, bad"])) == ["yes", "no"]
    assert names["weights"].shape == (1, 4, 4, 4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_taggers_runs():
    text = (DOCS / "tagging.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=3)
    assert names["tags"][0].tolist() == ["DET", "NOUN", "VERB", "ADV"]
    assert names["shares"].shape == (2, 4)
    assert names["told_apart"]
    assert names["accuracy"] == names["search"].best_score_ == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_sequence_to_sequence_runs():
    text = (DOCS / "seq2seq.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=4)
    model, X, y = names["model"], names["X"], names["y"]
    assert list(model.predict(["fed", "cafe"])) == ["def", "acef"]
    assert model.score(X[500:], y[500:]) > 0.9
    assert names["weights"].shape == (2, 4, 5, 4) and len(names["where"]) == 5
    assert -1 < names["search"].best_score_ < 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_autoencoders_runs():
    text = (DOCS / "autoencoders.rst").read_text(encoding="utf-8")
    names = run_blocks(text, n_blocks=3)
    assert names["codes"].shape == (297, 8)
    assert names["error"] < 0.025
    assert names["new"].shape == (5, 64) and names["in_use"] == 2
    assert names["search"].best_params_ == {"n_components": 8}


@pytest.mark.slow
def test_the_page_on_scaling_runs():
    """As a script of its own: dask's workers read it first, and ray changes joblib."""
    pytest.importorskip("distributed", exc_type=ImportError)
    pytest.importorskip("ray", exc_type=ImportError)
    text = (DOCS / "scaling.rst").read_text(encoding="utf-8")
    blocks = get_blocks(text.replace("max_iter=20", "max_iter=2"))
    assert len(blocks) == 8
    show = "print(type(search.best_estimator_).__name__, search.best_score_)\n"
    body = indent(show.join([*blocks, ""]), "    ")
    # pytest's folder has too long a path for ray's sockets
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        script = Path(folder) / "page.py"
        script.write_text(f'if __name__ == "__main__":\n{body}', encoding="utf-8")
        folders = {"TMPDIR": folder, "RAY_TMPDIR": folder, "RAY_AUTH_MODE": "disabled"}
        run = subprocess.run(
            [sys.executable, "-W", "ignore", script],
            env=os.environ | folders | {"RAY_USAGE_STATS_ENABLED": "0"},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stderr
    found = [line for line in run.stdout.splitlines() if "MLPClassifier" in line]
    assert len(found) == 8 and len(set(found)) == 1
