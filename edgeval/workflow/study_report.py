"""Write what people read of a study: Markdown, and a page and its picture where they can be made."""

from __future__ import annotations

from pathlib import Path

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.study import Study
from edgeval.report.blocks import Figure, render_blocks_html, render_blocks_markdown
from edgeval.report.pages import environment
from edgeval.report.study import study_blocks, summary
from edgeval.store import Store

TITLE = "Scaling laws in the tiny regime, as trained and as deployed"
CAPTION = "Error against parameters, means over seeds with one standard deviation; below, exponents between neighbours"


def check_folder(folder: Path) -> None:
    """Raise InputError where a report could not be written: before hours of work, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = Store(folder).write(folder / ".writable", b"")
        probe.unlink()
    except OSError as error:
        hint = f"{error.strerror}; choose another --out DIR"
        raise InputError("the folder of the report cannot be used", seen=folder, hint=hint) from error


def write_study(study: Study, folder: Path) -> Path:
    """study.md and .json; with the extra `report` study.html and laws.svg too. The path of the page to read."""
    store, blocks = Store(folder), list(study_blocks(study))
    store.write_record(folder / "study.json", study)
    page = store.write(folder / "study.md", render_blocks_markdown(TITLE, blocks).encode())
    try:
        environment()
    except RuntimeMissing:
        return page
    from edgeval.report.lawfigure import standalone
    from edgeval.report.study_figure import study_figure

    svg = study_figure(study)
    figures = [Figure(svg, CAPTION)] if svg else []
    if svg:
        store.write(folder / "laws.svg", standalone(svg).encode())
    html = render_blocks_html(TITLE, [*figures, *blocks[1:]], lead=summary(study))
    return store.write(folder / "study.html", html.encode())
