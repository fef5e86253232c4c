"""The laws of the house: floors, no circles, light imports, sizes, and cards that travel in the wheel."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "edgeval"
FLOORS = [
    {"__main__"},
    {"cli"},
    {"workflow"},
    {"train", "export", "run", "emulate", "cluster", "compare", "gate", "report", "store"},
    {"records"},
    {"tasks", "nets", "measures", "physics"},
    {"archive"},
    {"errors", "__init__"},
]
HEAVY = {
    "torch",
    "torchvision",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "scipy",
    "litert_torch",
    "ai_edge_litert",
    "jax",
    "matplotlib",
    "ray",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(dotted: str) -> str:
    """The room of `edgeval.a.b`."""
    return dotted.split(".")[1] if "." in dotted else "__init__"


def floor(name: str) -> int:
    """The floor that a room stands on; 0 is the top."""
    return next(i for i, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path) -> set[str]:
    """Every edgeval module that a file imports, lazy and type-only imports counted."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "edgeval":
            folder = PACKAGE.parent / node.module.replace(".", "/")
            inner = {
                alias.name
                for alias in node.names
                if (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir()
            }
            found |= {f"{node.module}.{name}" for name in inner}
            if len(inner) < len(node.names):
                found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "edgeval"}
    return found


def owner(path: Path) -> str:
    """The room that a file belongs to."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def test_every_room_stands_on_a_floor() -> None:
    assert {owner(path) for path in MODULES} <= set().union(*FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_arrow_points_down(path: Path) -> None:
    here = owner(path)
    for target in imports(path):
        there = room(target)
        assert there == here or floor(there) > floor(here), f"{path.relative_to(ROOT)} ({here}) imports {target}"


def test_measures_and_nets_import_nothing_of_ours_and_physics_only_errors() -> None:
    for path in [*PACKAGE.glob("nets/*.py"), *PACKAGE.glob("measures/*.py"), *PACKAGE.glob("physics/*.py")]:
        more = {"errors"} if owner(path) == "physics" else set()
        assert {room(target) for target in imports(path)} <= {owner(path)} | more, path


def test_no_circles_among_modules() -> None:
    graph = {
        ".".join(("edgeval", *p.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): imports(p)
        for p in MODULES
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' > '.join((*trail, name))}"
        if name not in done:
            for target in graph.get(name, set()) - {name}:
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", ["edgeval.cli", "edgeval.cli.edge"])
def test_the_command_line_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_verbs_import_nothing_heavy() -> None:
    code = "import sys, edgeval.cli as c; [c.cli.get_command(None, v) for v in c.VERBS]"
    code += "; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_the_reading_side_needs_neither_torch_nor_tensorflow() -> None:
    block = "import sys; sys.modules.update(torch=None, tensorflow=None, torchvision=None);"
    rooms = "workflow.compare, workflow.models, workflow.score, workflow.report, report.text"
    code = f"{block} import {', '.join('edgeval.' + r.strip() for r in rooms.split(','))}; print('read')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "read\n"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 300
    assert ast.get_docstring(tree), "a module says in its docstring what the room is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 60, f"{node.name} is long"
    assert not {"utils", "helpers", "common", "misc", "manager"} & set(path.with_suffix("").parts)


def test_only_the_edge_and_child_processes_catch_everything() -> None:
    wide = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert sorted(set(wide)) == ["cli/edge.py", "workflow/jobs.py"]


def test_only_the_command_line_prints_or_exits() -> None:
    for path in MODULES:
        if owner(path) in ("cli", "__main__") or "agent" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("print", "sys.exit", "exit"), path


def test_cards_travel_in_the_wheel_and_are_found_after_installation(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("edgeval_toolkit-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"edgeval/shipped/devices/{p.name}" for p in (ROOT / "devices").glob("*.toml")} <= set(names)
    assert "edgeval/tasks/digits.npz" in names
    venv.create(tmp_path / "fresh", with_pip=False, system_site_packages=False)
    site = next((tmp_path / "fresh").glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    import click

    (site / "here.pth").write_text(str(Path(click.__file__).parents[1]) + "\n")  # the dependencies of this environment
    python = tmp_path / "fresh" / "bin" / "python"
    code = "import edgeval, sys; from edgeval.__main__ import main; print(edgeval.__file__)"
    code += "; sys.argv=['edgeval','devices','list']; main()"
    found = subprocess.run(
        [str(python), "-E", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert str(site) in found
    assert all(p.stem in found for p in (ROOT / "devices").glob("*.toml"))


def test_no_two_test_files_share_a_name() -> None:
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(names) == len(set(names))
