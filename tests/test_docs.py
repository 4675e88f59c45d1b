"""The user guide's page on tuning runs as it is printed, its searches shorter."""

import re
from pathlib import Path
from textwrap import dedent

import matplotlib
import matplotlib.pyplot as plt
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tuning.rst"


def get_blocks(text):
    """Get the literal blocks of a page, those after a double colon."""
    found = re.findall(r"^(?!\.\. ).*::\n\n((?:    .*\n|\n)+)", text, re.M)
    return [dedent(block) for block in found]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_page_on_tuning_runs():
    matplotlib.use("Agg")
    text = PAGE.read_text(encoding="utf-8").replace("n_iter=20", "n_iter=6")
    blocks = get_blocks(text)
    assert len(blocks) == 7
    names = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    plt.close("all")
    assert names["rates"].best_params_ == {"mlp__learning_rate_init": 1e-2}
    for name in ("rates", "search", "halving", "which", "own"):
        loss = -names[name].score(names["X_test"], names["y_test"])
        assert loss < 0.2, name
