"""A long report as a list of blocks, so that Markdown and HTML say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeval.report import wording
from edgeval.report.markdown import escape

LONGEST = 400


@dataclass(frozen=True)
class Heading:
    """The beginning of a part; level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of plain text under their headings; `words`: how many columns, from the left, hold words and not numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: int = 1


def known_columns(table: Table) -> Table:
    """The table without those columns in which nothing is known."""
    keep = [k for k in range(len(table.head)) if any(row[k] != wording.DASH for row in table.rows)]
    rows = tuple(tuple(row[k] for k in keep) for row in table.rows)
    return Table(tuple(table.head[k] for k in keep), rows, table.caption, sum(k < table.words for k in keep))


@dataclass(frozen=True)
class Figure:
    """A drawing as <svg>, which Markdown leaves out."""

    svg: str
    caption: str = ""


@dataclass(frozen=True)
class Panels:
    """Drawings of one kind, side by side where there is room; Markdown leaves them out."""

    svgs: tuple[str, ...]
    caption: str = ""


Block = Heading | Text | Table | Figure | Panels


def render_blocks_markdown(title: str, blocks: Sequence[Block]) -> str:
    """The report in GitHub's Markdown; names are escaped."""
    parts = [f"# {escape(title)}"]
    for block in blocks:
        match block:
            case Heading(text, level):
                parts.append(f"{'#' * level} {escape(text)}")
            case Text(text):
                parts.append(escape(text, 4 * LONGEST))
            case Table():
                parts += [escape(block.caption, LONGEST)] if block.caption else []
                parts.append(_table(block))
            case Figure() | Panels():
                continue
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rules = [":--" if k < table.words else "--:" for k in range(len(table.head))]
    rows = (table.head, tuple(rules), *table.rows)
    return "\n".join("| " + " | ".join(_cell(cell, k == 1) for cell in row) + " |" for k, row in enumerate(rows))


def _cell(cell: str, rule: bool) -> str:
    return cell if rule else escape(cell, LONGEST)


def render_blocks_html(title: str, blocks: Sequence[Block], *, lead: str = "") -> str:
    """The report as one self-contained page. Raises RuntimeMissing without the `report` extra."""
    from edgeval.report.pages import environment

    template = environment().get_template("blocks.html.j2")
    return template.render(title=wording.clean(title, 160), lead=lead, blocks=[_plain(block) for block in blocks])


def _plain(block: Block) -> dict[str, object]:
    """A block as a template takes it."""
    from markupsafe import Markup

    match block:
        case Heading(text, level):
            return {"kind": f"h{level}", "text": text}
        case Text(text):
            return {"kind": "p", "text": text}
        case Table():
            return {"kind": "table", "table": block}
        case Figure(svg, caption):
            return {"kind": "figure", "svg": Markup(svg), "caption": caption}  # noqa: S704  drawn by us
        case Panels(svgs, caption):
            return {"kind": "panels", "svgs": [Markup(svg) for svg in svgs], "caption": caption}  # noqa: S704
