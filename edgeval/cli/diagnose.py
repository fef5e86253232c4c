"""edgeval diagnose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.diagnosis import Diagnosis

SHOWN = 8
NONE_FITS = 5


def share(value: str) -> float:
    """An accuracy between 0 and 1, or in percent."""
    text = value.strip()
    (found,) = options.numbers(text.removesuffix("%")) if "," not in text else (-1.0,)
    found = found / 100 if text.endswith("%") else found
    if not 0 < found <= 1:
        raise click.BadParameter(f"{value!r} is not an accuracy such as 0.87 or 87%")
    return found


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Labelled images: folder, .npz or .csv.")
@click.option("--expect-top1", "expected", type=share, required=True, metavar="X", help="The accuracy it should have.")
@click.option("--size", type=options.size, metavar="HxW", help="Resize the images of --data.")
@click.option("--images", type=click.IntRange(1), default=256, show_default=True, help="How many are tried.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which ones.")
@click.option("--scale", type=options.number, metavar="X", help="What is tried first, as for compare.")
@click.option("--mean", type=options.numbers, metavar="X[,X...]")
@click.option("--std", type=options.numbers, metavar="X[,X...]")
@click.option("--layout", type=click.Choice(["auto", "nhwc", "nchw"]))
@click.option("--channels", type=click.Choice(["rgb", "bgr"]))
@click.option("--output", metavar="NAME", help="The output to read, where there are several.")
@options.json_file
@options.quiet
def diagnose(model: Path, data: Path, expected: float, json_to: str | None, quiet: bool, **given: Any) -> int:
    """Why MODEL does not reach the accuracy that it should have on this data.

    Tries channel order, layout, pixel range, mean and std, label offset, background class, folder order and swapped
    height and width on a few images, and says which fits and what to type. Stops at once where nothing is wrong.

    Exit codes: 0 one fits; 5 none does; 2 and 4 as everywhere.

    \b
    Examples:
      edgeval diagnose model.onnx --data val/ --expect-top1 0.87
      edgeval diagnose model.tflite --data test.npz --expect-top1 87% --json -
    """
    from edgeval.workflow.diagnose import Question
    from edgeval.workflow.diagnose import diagnose as work
    from edgeval.workflow.models import Flags

    asked = {name: given.pop(name) for name in ("size", "images", "seed")}
    with Display(quiet=quiet) as display:
        found = work(Question(model, data, expected, flags=Flags(**given), **asked), display)
    options.emit(_text(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)
    return 0 if found.fits else NONE_FITS


def _text(found: Diagnosis) -> str:
    """The sentence, the ranking and what mends it."""
    shown = found.suspects[:SHOWN]
    width = max(len(suspect.name) for suspect in shown)
    lines = [found.sentence, "", f"{found.model}, {found.n} images, top-1 with 95% interval:"]
    lines += [f"  {s.name:{width}}  {s.accuracy:7.2%}  {s.ci95[0]:.2%} to {s.ci95[1]:.2%}" for s in shown]
    if len(found.suspects) > SHOWN:
        lines.append(f"  and {len(found.suspects) - SHOWN} more that do worse")
    lines += ["", *found.statements]
    if found.fits and found.fits != found.default:
        name = Path(found.model).with_suffix(".toml").name
        lines += ["", f"{name}, beside the model, says the same once:"]
        lines += [f"  {line}" for line in found.fits.toml.splitlines()]
    return "\n".join(lines)
