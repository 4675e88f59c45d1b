"""The floors of the package: imports go down only, rooms are small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sknn

ROOT = Path(sknn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
COMPAT = "_sklearn_compat"

FLOOR_1 = {
    "metrics": set(),
    "data": {COMPAT},
    "training": {COMPAT, "data"},
}
BELOW_FLOOR_2 = {COMPAT, "modules", *FLOOR_1}
SHARED_BY_BASE = {
    "_assembly",
    "_docs",
    "_door",
    "_features",
    "_heads",
    "_outputs",
    "_state",
    "_transfer",
}
OF_ENSEMBLES = {"_ensemble_answers", "_ensemble_contexts", "_ensemble_state"}
UPPER_ROOMS = {"display", "parallel"}

# What the files of a room may import of sknn, beside their own room.
LOWER_ROOMS = {
    "modules": set(),
    COMPAT: set(),
    **FLOOR_1,
    **dict.fromkeys(SHARED_BY_BASE, BELOW_FLOOR_2),
    **{room: set() for room in OF_ENSEMBLES},
    "_ensemble": BELOW_FLOOR_2 | {"_assembly", *OF_ENSEMBLES},
    "_heads": BELOW_FLOOR_2 | {"_ensemble"},
    "_base": BELOW_FLOOR_2 | SHARED_BY_BASE,
    "_autograd_base": BELOW_FLOOR_2 | SHARED_BY_BASE | {"_base"},
    "_message_passing_base": BELOW_FLOOR_2
    | SHARED_BY_BASE
    | {"_base", "_autograd_base"},
    "_deep_supervision": BELOW_FLOOR_2 | {"_door"},
    "_pretraining": BELOW_FLOOR_2 | {"_assembly"},
    "_mlp_weights": BELOW_FLOOR_2,
    "_node_head": BELOW_FLOOR_2 | {"_door", "_heads"},
    "_autoencoder_base": BELOW_FLOOR_2 | SHARED_BY_BASE | {"_base", "_autograd_base"},
    "_sequence_base": BELOW_FLOOR_2 | SHARED_BY_BASE | {"_base", "_autograd_base"},
    "_transformer_base": BELOW_FLOOR_2 | SHARED_BY_BASE | {"_sequence_base"},
    "_gan_parameters": BELOW_FLOOR_2 | {"_door"},
    "_gan_watch": BELOW_FLOOR_2,
    "_gan_sampling": BELOW_FLOOR_2 | {"_door"},
    "_gan_scoring": BELOW_FLOOR_2 | {"_gan_watch"},
    "_gan_state": BELOW_FLOOR_2 | {"_state"},
    "_tagger_head": BELOW_FLOOR_2
    | SHARED_BY_BASE
    | {"_base", "_ensemble", "_sequence_base"},
}


def get_room(path):
    """Get the folder or file of ``sknn/`` that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def get_ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def iter_imports(path):
    """Iterate over the dotted names that a file imports, with what of each."""
    package = ["sknn", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            yield from ((module, alias.name) for alias in node.names)


def get_rooms_imported(path):
    """Get the rooms of sknn that a file imports from."""
    rooms = set()
    for module, name in iter_imports(path):
        top, *rest = module.split(".")
        if top == "sknn":
            rooms.add(rest[0] if rest else name)
    return rooms - {"__version__"}


def get_rooms_allowed(room):
    if room in LOWER_ROOMS:
        return LOWER_ROOMS[room] | {room}
    if room in UPPER_ROOMS:
        others = UPPER_ROOMS - {room}
        return {get_room(path) for path in FILES} - others - {"__init__"}
    architecture = room.rsplit("_", 1)[0]  # of its base, classifier and so on
    return set(LOWER_ROOMS) | {room, f"{architecture}_base"}


def test_the_files_are_found():
    assert {"_base", "_mlp_base", COMPAT, "modules", "data", "training"} <= {
        get_room(path) for path in FILES
    }


@pytest.mark.parametrize(
    "path", [p for p in FILES if p != ROOT / "__init__.py"], ids=str
)
def test_imports_go_down(path):
    room = get_room(path)
    assert get_rooms_imported(path) <= get_rooms_allowed(room)


def test_a_wrong_import_would_be_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "training").mkdir()
    path = tmp_path / "training" / "_net.py"
    path.write_text("def f():\n    from ..modules import _mlp\n\nfrom .. import _base")
    assert get_rooms_imported(path) == {"modules", "_base"}
    path.write_text("from . import _flat\nfrom sknn.modules._mlp import make\n")
    assert get_rooms_imported(path) == {"training", "modules"}


MODULE_FILES = [path for path in FILES if get_room(path) == "modules"]


@pytest.mark.parametrize("path", MODULE_FILES, ids=get_ids(MODULE_FILES))
def test_modules_are_plain_torch(path):
    tops = {module.split(".")[0] for module, _ in iter_imports(path)}
    assert tops <= {"sknn", "torch", *sys.stdlib_module_names}
    assert not any(module.startswith("torch.optim") for module, _ in iter_imports(path))


def is_private(name):
    return name.startswith("_") and not name.endswith("__")


def get_private_names(path):
    """Get the private names of scikit-learn and joblib that a file imports or uses."""
    found = set()
    for module, name in iter_imports(path):
        parts = [*module.split("."), name or ""]
        if parts[0] in {"sklearn", "joblib"} and any(map(is_private, parts)):
            found.add(".".join(parts))
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            root = ast.unparse(node).split(".")[0]
            if root in {"sklearn", "joblib"}:
                found.add(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", FILES, ids=get_ids(FILES))
def test_private_names_come_by_one_door(path):
    assert get_room(path) == COMPAT or not get_private_names(path)


def test_the_door_is_used():
    assert get_private_names(ROOT / f"{COMPAT}.py")


def test_the_package_file_only_re_exports():
    tree = parse(ROOT / "__init__.py")
    docstring, *rest = tree.body
    assert isinstance(docstring.value, ast.Constant)
    for node in rest:
        is_dunder = isinstance(node, ast.Assign) and node.targets[0].id in {
            "__all__",
            "__version__",
        }
        assert is_dunder or isinstance(node, ast.ImportFrom)
    assert sknn.__all__ == sorted(sknn.__all__)
    assert all(hasattr(sknn, name) for name in sknn.__all__)


@pytest.mark.parametrize("path", FILES, ids=get_ids(FILES))
def test_no_star_imports(path):
    assert "*" not in {name for _, name in iter_imports(path)}


def iter_public(body):
    """Iterate over public functions and classes, methods of the latter included."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from iter_public(node.body)


@pytest.mark.parametrize("path", FILES, ids=get_ids(FILES))
def test_public_names_have_docstrings(path):
    tree = parse(path)
    public = list(iter_public(tree.body))
    documented = {node.name for node in public if ast.get_docstring(node)}
    inherited = {"forward"}  # torch's, described by its class
    assert {node.name for node in public} <= documented | inherited
    assert ast.get_docstring(tree)


def get_docstring_lines(node):
    """Get the number of lines of a node's docstring."""
    has_one = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    if not has_one or ast.get_docstring(node) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1


@pytest.mark.parametrize("path", FILES, ids=get_ids(FILES))
def test_files_are_small(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    n_docs = sum(map(get_docstring_lines, ast.walk(parse(path))))
    assert n_lines < 450
    assert n_lines - n_docs < 350


@pytest.mark.parametrize("path", FILES, ids=get_ids(FILES))
def test_functions_are_small(path):
    functions = [n for n in ast.walk(parse(path)) if isinstance(n, ast.FunctionDef)]
    lines = {
        f.name: f.end_lineno - f.body[0].lineno + 1 - get_docstring_lines(f)
        for f in functions
    }
    assert {name: count for name, count in lines.items() if count >= 60} == {}


def test_import_is_light():
    code = "import sys, sknn; sknn.MLPClassifier().get_params(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.check_output(command, cwd=ROOT.parent, text=True).split()
    assert "sknn" in loaded
    assert not {"skorch", "matplotlib", "rapidfuzz", "sknn.metrics"} & set(loaded)
