"""edgeval compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

SIDES = ("", "reference_", "candidate_")
PIECES = ("scale", "mean", "std", "outputs")


def preprocessing(function: Any) -> Any:
    """--scale, --mean, --std and --outputs, for both sides or for one."""
    for side in ("candidate-", "reference-", ""):
        who = f" of the {side[:-1]}" if side else ""
        function = click.option(
            f"--{side}std", type=options.numbers, metavar="X[,X...]", help=f"Std{who}, one or one a channel."
        )(function)
        function = click.option(f"--{side}mean", type=options.numbers, metavar="X[,X...]", help=f"Mean{who}.")(function)
        function = click.option(
            f"--{side}scale", type=options.number, metavar="X", help=f"Input{who} = (pixel x scale - mean) / std."
        )(function)
        kinds = click.Choice(["auto", "logits", "probs"])
        function = click.option(f"--{side}outputs", type=kinds, help=f"What the model{who} answers.")(function)
    return function


@click.command()
@click.argument("what", nargs=-1, metavar="[LADDER | OLD.npz NEW.npz]")
@options.target
@click.option(
    "--rung", "rungs", multiple=True, metavar="R", help="Rung such as c4; may be repeated.  [default: all smaller]"
)
@click.option("--format", "fmt", type=click.Choice(options.FORMATS), help="[default: the target's]")
@click.option("--seed", type=click.IntRange(0), help="[default: the lowest there is]")
@click.option("--reference", metavar="MODEL", help="A .onnx, .tflite, table .npz, or ladder:rung:format.")
@click.option("--candidate", metavar="MODEL", help="The same; it runs on the target.")
@click.option("--data", type=click.Path(path_type=Path), help="Labelled images: folder, .npz or .csv.")
@click.option("--size", type=options.size, metavar="HxW", help="Resize the images of --data.")
@preprocessing
@options.json_file
@options.runs
@options.quiet
def compare(what: tuple[str, ...], json_to: str | None, runs: Path | None, quiet: bool, **given: Any) -> None:
    """How a candidate's answers differ from the reference's on the same images: per class, error sets, calibration.

    Without --reference and --candidate, the rungs of LADDER as they run on the target are compared with its largest
    rung in torch, stage by stage. compare never judges.

    \b
    Examples:
      edgeval compare scalecnn-digits100 --target desktop
      edgeval compare --target rpi4 --emulate --rung c4
      edgeval compare --reference big.onnx --candidate small_int8.tflite --data val/
      edgeval compare --reference a.tflite --candidate b.tflite --data test.npz --scale 1
      edgeval compare OLD.npz NEW.npz
    """
    from edgeval.report.text import render_text
    from edgeval.workflow.project import open_store
    from edgeval.workflow.report import as_json, keep

    store = open_store(runs)
    with Display(quiet=quiet) as display:
        if given["reference"] or given["candidate"] or len(what) > 1:
            row, samples = _any_models(what, given, store, display)
            rows, name = [row], f"{row.reference.name}-against-{row.candidate.name}"
        else:
            rows, samples, name = _ladder(what, given, store, display)
        page = keep(rows, samples, store, name)
    options.emit(render_text(rows, report=page), lambda: as_json(rows), json_to)


def _ladder(what: tuple[str, ...], given: dict[str, Any], store: Any, display: Display) -> Any:
    """Rows for the rungs of a ladder."""
    from edgeval.workflow.compare import CompareOptions, compare_ladder
    from edgeval.workflow.project import choose_ladder, choose_target

    if what and what[0].endswith(".npz"):
        raise click.UsageError("give two tables: edgeval compare OLD.npz NEW.npz")
    _refuse(given, ("data", "size", *(f"{side}{name}" for side in SIDES for name in PIECES)), "a ladder")
    ladder = choose_ladder(what[0] if what else None, store)
    target = choose_target(given["target"])
    asked = CompareOptions(target, given["emulate"], given["rungs"], given["fmt"], given["seed"])
    rows, samples = compare_ladder(ladder, asked, store, display)
    parts = [ladder.name, *given["rungs"], rows[0].candidate.format, *(["emulated"] if given["emulate"] else [])]
    parts += [f"s{given['seed']}"] if given["seed"] is not None else []
    return rows, samples, "-".join(parts)


def _any_models(what: tuple[str, ...], given: dict[str, Any], store: Any, display: Display) -> Any:
    """One row for two models or tables."""
    from edgeval.workflow.models import Flags, Setting, SideSpec, compare_models
    from edgeval.workflow.project import choose_target

    if len(what) == 2 and not (given["reference"] or given["candidate"]):
        given = {**given, "reference": what[0], "candidate": what[1]}
    elif what or not (given["reference"] and given["candidate"]):
        raise click.UsageError("give both --reference and --candidate, or two tables: edgeval compare OLD.npz NEW.npz")

    _refuse(given, ("rungs", "fmt", "seed"), "--reference and --candidate")

    def side(role: Any) -> SideSpec:
        values = {
            n: given[f"{role}_{n}"] if given[f"{role}_{n}"] is not None else given[n] for n in ("scale", "mean", "std")
        }
        return SideSpec(
            role, given[role], Flags(**values, outputs=given[f"{role}_outputs"] or given["outputs"] or "auto")
        )

    command = "edgeval " + " ".join(_quoted(sys.argv[1:]))
    setting = Setting(given["data"], given["size"], choose_target(given["target"]), given["emulate"], command)
    return compare_models(side("reference"), side("candidate"), setting, store, display)


def _refuse(given: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    """Raise a usage error for an option that would not act."""
    for name in names:
        if given[name] not in (None, ()):
            flag = {"rungs": "rung", "fmt": "format"}.get(name, name).replace("_", "-")
            raise click.UsageError(f"--{flag} does not go with {where}")


def _quoted(words: list[str]) -> list[str]:
    """Words as a shell would need them."""
    import shlex

    return [shlex.quote(word.encode("utf-8", "replace").decode()) for word in words]
