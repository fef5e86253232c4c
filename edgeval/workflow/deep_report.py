"""Write what people read of a study of regressors: Markdown, and a page and its pictures where they can be made."""

from __future__ import annotations

from pathlib import Path

from edgeval.records.deep_regression import DeepRegression
from edgeval.report.blocks import Panels
from edgeval.report.deep.whole import deep_blocks
from edgeval.workflow.study_report import Pictures, write_pages

TITLE = "Scaling laws of deep regression, as trained and as deployed"
LAWS = (
    "MSE against {across}, geometric means over seeds with the least and the largest seed as a bar, and the law through"
    " them; {letter} is its exponent, and steeper is better. All panels have the same axes"
)
DEPLOYED = (
    "MSE as trained (filled) and as deployed (hollow). Thin lines: the mean square by which quantisation moves answers;"
    " dashed: step^2 / 12, what rounding the output to its grid would add alone. The cross marks where the noise is"
    " equal to the error as trained: the law stops or bends there"
)


def write_deep(found: DeepRegression, folder: Path) -> Path:
    """study.md and .json; with the extra `report` study.html, images.svg, parameters.svg and deployed.svg too, those
    that there is anything for. The path of the page to read."""
    return write_pages(found, folder, TITLE, list(deep_blocks(found)), lambda: _pictures(found))


def _pictures(found: DeepRegression) -> Pictures:
    """Single panels on the page, so that they stack where it is narrow, and one sheet of them as a file."""
    from edgeval.report.deep.figure import deployed_panels, law_panels
    from edgeval.report.deep.panels import sheet, single_panels

    drawn = {
        "images": (law_panels(found, "images"), LAWS.format(across="training images", letter="β")),
        "parameters": (law_panels(found, "parameters"), LAWS.format(across="parameters", letter="γ")),
        "deployed": (deployed_panels(found), DEPLOYED),
    }
    there = {name: made for name, made in drawn.items() if made[0]}
    columns = min(3, max(1, len(found.outputs)))
    blocks = [Panels(single_panels(panels, prefix=name), caption) for name, (panels, caption) in there.items()]
    files = {f"{name}.svg": sheet(panels, columns=columns, prefix=name) for name, (panels, _) in there.items()}
    return Pictures(blocks, files)
