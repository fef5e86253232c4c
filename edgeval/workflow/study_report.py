"""Write what people read of a study: Markdown, and a page and its picture where they can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.cards import Record
from edgeval.records.study import Study
from edgeval.report.blocks import Block, Figure, Panels, Text, render_blocks_html, render_blocks_markdown
from edgeval.report.pages import environment
from edgeval.report.study import study_blocks
from edgeval.store import Store

TITLE = "Scaling laws in the tiny regime, as trained and as deployed"
CAPTION = "Error against parameters, means over seeds with one standard deviation; below, exponents between neighbours"


@dataclass(frozen=True)
class Pictures:
    """Drawings for the top of a page, and those that become files of their own, by name."""

    blocks: Sequence[Figure | Panels]
    files: Mapping[str, str]


def check_folder(folder: Path, option: str = "--out DIR") -> None:
    """Raise InputError where a report could not be written: before hours of work, not after. `option` chooses it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = Store(folder).write(folder / ".writable", b"")
        probe.unlink()
    except OSError as error:
        hint = f"{error.strerror}; choose another {option}"
        raise InputError("the folder of the report cannot be used", seen=folder, hint=hint) from error


def write_study(study: Study, folder: Path) -> Path:
    """study.md and .json; with the extra `report` study.html and laws.svg too. The path of the page to read."""
    return write_pages(study, folder, TITLE, list(study_blocks(study)), lambda: _pictures(study))


def write_pages(found: Record, folder: Path, title: str, blocks: Sequence[Block], draw: Callable[[], Pictures]) -> Path:
    """The record, the report in Markdown, and where the extra `report` is there its page and pictures.

    blocks: the first is the sentence that leads the page.
    """
    store = Store(folder)
    store.write_record(folder / "study.json", found)
    page = store.write(folder / "study.md", render_blocks_markdown(title, blocks).encode())
    try:
        environment()
    except RuntimeMissing:
        return page
    from edgeval.report.lawfigure import standalone

    pictures = draw()
    for name, svg in pictures.files.items():
        store.write(folder / name, standalone(svg).encode())
    lead, *rest = blocks
    said = lead.text if isinstance(lead, Text) else ""
    html = render_blocks_html(title, [*pictures.blocks, *rest], lead=said)
    return store.write(folder / "study.html", html.encode())


def _pictures(study: Study) -> Pictures:
    """All laws in one picture."""
    from edgeval.report.study_figure import study_figure

    svg = study_figure(study)
    return Pictures([Figure(svg, CAPTION)], {"laws.svg": svg}) if svg else Pictures([], {})
