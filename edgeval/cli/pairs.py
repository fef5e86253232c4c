"""What to compare, as compare and gate take it: rungs of a ladder on a target, or any two models or tables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options

if TYPE_CHECKING:
    from edgeval.cli.display import Display
    from edgeval.records.evidence import Evidence
    from edgeval.records.findings import Comparison
    from edgeval.records.fleet import Fleet
    from edgeval.records.predictions import Predictions
    from edgeval.store import Store
    from edgeval.tasks.samples import Samples
    from edgeval.workflow.bench import Bench, Place
    from edgeval.workflow.compare import Before
    from edgeval.workflow.models import Setting, SideSpec
    from edgeval.workflow.partial import Early

SIDES = ("", "reference_", "candidate_")
PIECES = ("scale", "mean", "std", "outputs", "layout", "channels", "output")


@dataclass(frozen=True)
class Weighed:
    """The comparisons that were asked for, their images where there are some, and a name for their files."""

    evidences: list[Evidence]
    samples: Samples | None
    name: str
    fleet: Fleet | None = None

    @property
    def tables(self) -> list[tuple[Predictions, Predictions]]:
        """Reference and candidate of each comparison, in the same order."""
        return [(evidence.reference, evidence.candidate) for evidence in self.evidences]


def _nothing(labels: Any, class_names: tuple[str, ...]) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Hooks:
    """What gate adds: `before` is told of the data before anything runs, `early` judges while the candidate runs.

    instructions: a rule is about them, so they are counted where that is possible.
    """

    before: Before = _nothing
    early: Early | None = None
    instructions: bool = False


def pairs(function: Any) -> Any:
    """Every option that says what is compared with what."""
    for add in reversed(
        (
            click.argument("what", nargs=-1, metavar="[LADDER | OLD.npz NEW.npz]"),
            options.target,
            options.record,
            options.shard,
            options.instructions,
            click.option(
                "--rung",
                "rungs",
                multiple=True,
                metavar="R",
                callback=options.once,
                help="Rung such as c4; may be repeated.  [default: all smaller]",
            ),
            click.option("--format", "fmt", type=click.Choice(options.FORMATS), help="[default: the target's]"),
            click.option("--seed", type=click.IntRange(0), help="[default: the lowest there is]"),
            click.option(
                "--reference",
                metavar="MODEL",
                help=".onnx, .tflite, Keras, table .npz, or ladder:rung:format[:seed].",
            ),
            click.option("--candidate", metavar="MODEL", help="The same; it runs on the target."),
            click.option("--data", type=click.Path(path_type=Path), help="Labelled images: folder, .npz or .csv."),
            click.option("--size", type=options.size, metavar="HxW", help="Resize the images of --data."),
            preprocessing,
            options.task,
            click.option(
                "--images",
                type=click.IntRange(1),
                metavar="N",
                help="Only the first N test images of one seeded order; a larger N extends a smaller one.",
            ),
            click.option(
                "--threshold",
                type=click.FloatRange(0, 1),
                default=0.5,
                help="Confidence from which the reference's answers are accepted.  [default: 0.5]",
            ),
            click.option(
                "--floor-budget",
                type=options.seconds,
                default="60s",
                metavar="TIME",
                help="Time for the kernel floor, as 60s or 2m; 0 leaves it out.  [default: 60s]",
            ),
        )
    ):
        function = add(function)
    return function


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
        function = click.option(
            f"--{side}output", metavar="NAME", help=f"The output{who} to read, where there are several."
        )(function)
        orders = click.Choice(["rgb", "bgr"])
        function = click.option(f"--{side}channels", type=orders, help=f"Channel order{who}.  [default: rgb]")(function)
        layouts = click.Choice(["auto", "nhwc", "nchw"])
        function = click.option(f"--{side}layout", type=layouts, help=f"Layout{who}, where its shape leaves it open.")(
            function
        )
        kinds = click.Choice(["auto", "logits", "probs"])
        function = click.option(f"--{side}outputs", type=kinds, help=f"What the model{who} answers.")(function)
    return function


def weigh(
    what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display, hooks: Hooks | None = None
) -> Weighed:
    """Run what has not run yet and compare."""
    hooks = hooks or Hooks()
    if given["instructions"]:
        from edgeval.workflow.project import choose_target
        from edgeval.workflow.standin import check_counted

        for name in one_or_many(choose_target(given["target"]), given):
            check_counted(name, emulate=given["emulate"])
    if given["reference"] or given["candidate"] or len(what) > 1:
        return _any_models(what, given, store, display, hooks)
    return _ladder(what, given, store, display, hooks)


def _ladder(what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display, hooks: Hooks) -> Weighed:
    """Rows for the rungs of a ladder."""
    from edgeval.workflow.compare import CompareOptions, compare_ladder
    from edgeval.workflow.fleet_compare import compare_ladder_fleet
    from edgeval.workflow.project import choose_ladder, choose_target

    if what and what[0].endswith(".npz"):
        raise click.UsageError("give two tables: edgeval compare OLD.npz NEW.npz")
    _refuse(given, ("data", "size", "tolerance", *(f"{side}{name}" for side in SIDES for name in PIECES)), "a ladder")
    ladder = choose_ladder(what[0] if what else None, store)
    target = choose_target(given["target"])
    asked = CompareOptions(
        target,
        given["emulate"],
        given["rungs"],
        given["fmt"],
        given["seed"],
        given["floor_budget"],
        given["images"],
        hooks.early,
        given["threshold"],
        instructions=given["instructions"] or hooks.instructions,
    )
    names, fleet = one_or_many(target, given, hooks), None
    if len(names) > 1 and not given["shard"]:
        found = compare_ladder_fleet(ladder, asked, names, store, display, hooks.before)
        rows, samples, fleet = found.evidences, found.samples, found.fleet
    else:
        asked = replace(asked, target=",".join(names))
        with opened_for(asked, names, given["record"], display) as opened:
            rows, samples = compare_ladder(ladder, replace(asked, opened=opened), store, display, hooks.before)
    parts = [
        ladder.name,
        *given["rungs"],
        rows[0].comparison.candidate.format,
        *(["emulated"] if given["emulate"] else []),
    ]
    parts += [f"s{given['seed']}"] if given["seed"] is not None else []
    parts += [f"n{given['images']}"] if given["images"] is not None else []
    return Weighed(rows, samples, "-".join(parts), fleet)


def _any_models(what: tuple[str, ...], given: dict[str, Any], store: Store, display: Display, hooks: Hooks) -> Weighed:
    """One row for two models or tables."""
    from edgeval.workflow.fleet_compare import compare_models_fleet
    from edgeval.workflow.models import compare_models

    _refuse(given, ("tolerance",), "classification: it is for --task regression")
    reference, candidate, setting = sides(what, given, hooks)
    names = one_or_many(setting.target, given, hooks)
    if len(names) > 1 and not given["shard"]:
        many = compare_models_fleet((reference, candidate), setting, names, store, display)
        row = many.evidences[0].comparison
        return Weighed(many.evidences, many.samples, _against(row), many.fleet)
    setting = replace(setting, target=",".join(names))
    with opened_for(setting, names, given["record"], display) as opened:
        found, samples = compare_models(reference, candidate, replace(setting, opened=opened), store, display)
    return Weighed([found], samples, _against(found.comparison))


def opened_for(
    place: Place, names: tuple[str, ...], path: Path | None, display: Display
) -> AbstractContextManager[Bench | None]:
    """The open target with a recorder, where --record asks for one; or several that share the images."""
    from edgeval.workflow.fleet import Opening
    from edgeval.workflow.record import recorded
    from edgeval.workflow.shard import open_crew

    if len(names) > 1:
        return open_crew(names, Opening(place.emulate, place.instructions), display)
    how = {"emulate": place.emulate, "instructions": place.instructions}
    return recorded(place.target, path, command=options.typed(), reporter=display, **how)


def _against(row: Comparison) -> str:
    """A name for the files of two models."""
    return f"{row.reference.name}-against-{row.candidate.name}"


def one_or_many(target: str, given: dict[str, Any], hooks: Hooks | None = None) -> tuple[str, ...]:
    """The targets that are meant. Raises a usage error for what goes with one target only."""
    from edgeval.workflow.fleet import targets_of

    names = targets_of(target)
    if given.get("shard") and len(names) < 2:
        raise click.UsageError("--shard shares the images among several targets; give them as A,B or tag:NAME")
    if len(names) > 1 and given.get("record"):
        raise click.UsageError("--record records one target; give one")
    if len(names) > 1 and hooks and hooks.early:
        raise click.UsageError("--sequential watches one target; give one")
    return names


def sides(what: tuple[str, ...], given: dict[str, Any], hooks: Hooks) -> tuple[SideSpec, SideSpec, Setting]:
    """Both sides as typed, and where they run."""
    from edgeval.workflow.models import Flags, Setting, SideSpec
    from edgeval.workflow.project import choose_target

    if len(what) == 2 and not (given["reference"] or given["candidate"]):
        given = {**given, "reference": what[0], "candidate": what[1]}
    elif what or not (given["reference"] and given["candidate"]):
        raise click.UsageError("give both --reference and --candidate, or two tables: edgeval compare OLD.npz NEW.npz")

    _refuse(given, ("rungs", "fmt", "seed"), "--reference and --candidate")

    def side(role: Any) -> SideSpec:
        values = {n: given[f"{role}_{n}"] if given[f"{role}_{n}"] is not None else given[n] for n in PIECES}
        return SideSpec(role, given[role], Flags(**values))

    target = choose_target(given["target"])
    setting = Setting(
        given["data"],
        given["size"],
        target,
        given["emulate"],
        options.typed(),
        given["floor_budget"],
        hooks.before,
        given["images"],
        hooks.early,
        given["threshold"],
        instructions=given["instructions"] or hooks.instructions,
    )
    return side("reference"), side("candidate"), setting


def _refuse(given: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    """Raise a usage error for an option that would not act."""
    for name in names:
        if given[name] not in (None, ()):
            flag = {"rungs": "rung", "fmt": "format"}.get(name, name).replace("_", "-")
            raise click.UsageError(f"--{flag} does not go with {where}")
