"""Keep what `edgeval scaling` found: a page beside the target's other reports, and a picture where it is asked for."""

from __future__ import annotations

from pathlib import Path

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.scaling import Scaling
from edgeval.report.pages import environment
from edgeval.report.scaling_page import render_scaling
from edgeval.store import Store
from edgeval.workflow.kept import file_stem

SUFFIXES = (".svg", ".html")


def check_figure(path: Path | None) -> None:
    """Raise InputError where the picture asked for has no known suffix, RuntimeMissing where none can be drawn."""
    if path is not None:
        if path.suffix.lower() not in SUFFIXES:
            raise InputError("--figure writes .svg or .html", seen=path, hint="--figure laws.svg")
        environment()


def write_figure(scaling: Scaling, path: Path) -> str:
    """The picture alone (.svg), or the whole page (.html); the line that says where it is."""
    if path.suffix.lower() == ".html":
        text = render_scaling(scaling)
    else:
        from edgeval.report.lawfigure import curves_of, law_figure, standalone

        text = standalone(law_figure(curves_of(scaling), prefix="law"))
    Store(path.parent).write(path, text.encode())
    return f"Figure: {path}"


def keep_scaling(scaling: Scaling, ladder: str, store: Store) -> str:
    """Write reports/TARGET/scaling-LADDER.html for each target; the lines that say where, or why there is none."""
    said = []
    for target in dict.fromkeys(one.target for one in scaling.deployed):
        mine = scaling.model_copy(update={"deployed": tuple(one for one in scaling.deployed if one.target == target)})
        path = store.root / "reports" / file_stem(target) / f"scaling-{file_stem(ladder)}.html"
        try:
            store.write(path, render_scaling(mine).encode())
        except RuntimeMissing as error:
            return f"No page: {error}"
        said.append(f"Report: {path}")
    return "\n".join(said)
