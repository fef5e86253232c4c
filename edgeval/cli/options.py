"""Options that several verbs share; each group is a decorator that hands over one value."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeval.cli.plain import echo

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = ("onnx-fp32", "onnx-int8", "tflite-fp32", "tflite-int8", "tflite-w8", "tflite-16x8")


def numbers(value: str) -> tuple[float, ...]:
    """Finite numbers with commas between them, as 0.5 or 0.5,0.4,0.3."""
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a list of numbers such as 0.5,0.5,0.5") from error
    if not all(abs(number) < float("inf") for number in found):
        raise click.BadParameter(f"{value!r} holds a number that is not finite")
    return found


def number(value: str) -> float:
    """One finite number above 0."""
    (found, *more) = numbers(value)
    if more or found <= 0:
        raise click.BadParameter(f"{value!r} is not one number above 0")
    return found


def seconds(value: str) -> float:
    """Seconds from 60, 60s, 1.5m or 1h; 0 is none."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*(s|m|h|)", value.strip())
    if not match:
        raise click.BadParameter(f"{value!r} is not a time such as 60s or 2m")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def size(value: str) -> tuple[int, int]:
    """(height, width) in pixels from HEIGHTxWIDTH."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", value)
    if not match or not all(int(part) for part in match.groups()):
        raise click.BadParameter(f"{value!r} is not a size such as 96x96")
    return int(match[1]), int(match[2])


def runs(function: F) -> F:
    """--runs DIR, handed over as `runs`: the results folder, or None for edgeval.toml's."""
    option = click.option("--runs", type=click.Path(path_type=Path), help="Results folder.  [default: runs]")
    return option(function)


def rungs(function: F) -> F:
    """--rung and --seed, each as often as wanted, handed over as `rungs` and `seeds`."""
    kind = click.IntRange(0, 2**63 - 1)  # what torch takes
    seed = click.option("--seed", "seeds", type=kind, multiple=True, callback=once, help="Seed; may be repeated.")
    text = "Rung such as c4; may be repeated."
    return click.option("--rung", "rungs", multiple=True, metavar="R", callback=once, help=text)(seed(function))


def once(context: click.Context, option: click.Parameter, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was typed several times counts once."""
    return tuple(dict.fromkeys(values))


def target(function: F) -> F:
    """--target and --emulate."""
    function = click.option(
        "--emulate", is_flag=True, help="Run the card's stand-in on this computer; results are marked emulated."
    )(function)
    text = "Device name or card; several as A,B or tag:NAME.  [default: desktop]"
    return click.option("--target", metavar="T", help=text)(function)


def instructions(function: F) -> F:
    """--instructions: count them."""
    text = "Count the instructions of one answer; on emulated boards only."
    return click.option("--instructions", is_flag=True, help=text)(function)


def record(function: F) -> F:
    """--record FILE: keep what the target answers, to replay it where the target is not."""
    text = "Record the target's answers to this .npz, with a card beside it that replays them."
    return click.option("--record", type=click.Path(path_type=Path), metavar="FILE", help=text)(function)


def typed() -> str:
    """The command line as it was typed, quoted for a shell."""
    return "edgeval " + " ".join(shlex.quote(word.encode("utf-8", "replace").decode()) for word in sys.argv[1:])


def shard(function: F) -> F:
    """--shard: several identical targets share the images."""
    text = "Several identical targets share the images, instead of answering all of them each."
    return click.option("--shard", is_flag=True, help=text)(function)


def task(function: F) -> F:
    """--task and --tolerance."""
    function = click.option(
        "--tolerance",
        type=numbers,
        metavar="X[,X...]",
        help="Regression: an error up to X is within, one or one an output.",
    )(function)
    kinds = click.Choice(["classification", "regression"])
    return click.option("--task", type=kinds, help="[default: regression for tables of values]")(function)


def recipe(function: F) -> F:
    """--rung, --seed, --epochs, --batch, --precision, --device, --workers: what is trained, and how."""
    named = "instead of the card's; the protocol gets its own name."
    given = (
        click.option("--epochs", type=click.IntRange(1, 100_000), help=f"Epochs {named}"),
        click.option("--batch", type=click.IntRange(2, 65_536), help="Batch size instead of the card's."),
        click.option("--precision", type=click.Choice(["fp32", "bf16"]), help=f"Arithmetic of convolutions {named}"),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
        workers,
    )
    for option in reversed(given):
        function = option(function)
    return rungs(function)


def workers(function: F) -> F:
    """--workers N: processes at once."""
    return click.option("--workers", type=click.IntRange(1, 1024), help="Processes at once.  [default: one a core]")(
        function
    )


def cluster(function: F) -> F:
    """--cluster ADDRESS: run the jobs on a Ray cluster."""
    text = "Run the jobs on a Ray cluster: HOST:PORT, auto (the one this machine is in), or local (one just for this)."
    return click.option("--cluster", metavar="ADDRESS", help=text)(function)


def json_file(function: F) -> F:
    """--json FILE, handed over as `json_to`."""
    text = "Write JSON; - for standard output."
    return click.option("--json", "json_to", metavar="FILE", callback=_json_name, help=text)(function)


def _json_name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A name that JSON can be written to, told before any work is done."""
    if value is not None and value != "-" and (not Path(value).name or Path(value).is_dir()):
        raise click.UsageError(f"--json {value!r} is not a file's name")
    return value


def quiet(function: F) -> F:
    """-q: no progress."""
    return click.option("-q", "--quiet", is_flag=True, help="No progress and no statements.")(function)


def emit(text: str, json_text: Callable[[], str], json_to: str | None) -> None:
    """Print the text, or write the JSON where it is asked for; `--json -` leaves standard output to the JSON alone."""
    if json_to is None:
        echo(text)
    elif json_to == "-":
        click.echo(json_text())
    else:
        path = Path(json_to)
        from edgeval.store import Store

        Store(path.parent).write(path, json_text().encode() + b"\n")
        echo(text)
