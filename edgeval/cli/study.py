"""edgeval study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.records.deep_regression import DeepRegression
    from edgeval.records.study import Study
    from edgeval.store import Store


@click.command()
@click.argument("name", type=click.Choice(["tiny-regime", "deep-regression"]))
@click.option(
    "--ladder",
    "ladders",
    multiple=True,
    metavar="L",
    help="Ladder; may be repeated. With --small: beside its own.  [default: the paper's]",
)
@options.recipe
@options.cluster
@click.option("--target", "targets", multiple=True, metavar="T", help="Target; may be repeated.  [default: desktop]")
@click.option("--format", "formats", type=click.Choice(options.FORMATS), multiple=True, help="[default: the target's]")
@click.option("--trained-only", is_flag=True, help="Export and run nothing: the laws as trained.")
@click.option(
    "--continue",
    "earlier",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --trained-only: go on from these answers; what they hold is not trained again.",
)
@click.option(
    "--answers", type=click.Path(path_type=Path), help="Analyse this file of kept answers, and train nothing."
)
@click.option("--small", is_flag=True, help="deep-regression: the protocol that two cores do in 75 minutes.")
@click.option("--published", is_flag=True, help="Analyse the paper's published figures, and train nothing.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the report.")
@options.json_file
@options.runs
@options.quiet
def study(
    name: str,
    answers: Path | None,
    published: bool,
    out: Path | None,
    json_to: str | None,
    runs: Path | None,
    quiet: bool,
    **given: Any,
) -> None:
    """A whole paper from one command: train, export, run, compare, fit and report, resumable at any time.

    tiny-regime: "Scaling Laws in the Tiny Regime" (arXiv 2603.07365), ScaleCNN and MobileNetV2 on CIFAR-100, 18 widths
    and five seeds; then the same laws in int8 on each target. The whole of it wants a GPU; the second example takes
    about an hour on two cores.

    deep-regression: "Neural Scaling Laws for Deep Regression" (arXiv 2509.10000), FCN, ResNet-18 and ViT on simulated
    magnets, which it makes; the error against training images and against parameters, and where int8 stops the law.

    \b
    Examples:
      edgeval study tiny-regime
      edgeval study tiny-regime --rung c4 --rung c8 --rung c12 --seed 0 --seed 1 --seed 2 --epochs 30
      edgeval study tiny-regime --answers docs/results/tiny-regime/answers.npz --json -
      edgeval study tiny-regime --published
      edgeval study deep-regression --small
      edgeval study deep-regression --small --ladder vit-cri3-images
      edgeval study deep-regression --small --seed 0 --target pi4-emulated
    """
    from edgeval.workflow.study_report import check_folder

    typed = any(value for key, value in given.items() if key != "device")
    if (answers or published) and (typed or (answers and published)):
        raise click.UsageError("--answers FILE and --published stand alone: they analyse what is there")
    _fits(name, published, given)
    if out is not None:
        check_folder(out)
    asked = Asked(answers, published, out, runs, quiet)
    text, record, fault = (_tiny if name == "tiny-regime" else _deep)(asked, given)
    options.emit(text, lambda: record.model_dump_json(indent=1, by_alias=True), json_to)
    if fault:
        raise fault


@dataclass(frozen=True)
class Asked:
    """What any study takes."""

    answers: Path | None
    published: bool
    out: Path | None
    runs: Path | None
    quiet: bool


def _fits(name: str, published: bool, given: dict[str, Any]) -> None:
    """Raise UsageError for an option that this study does not have."""
    if name == "tiny-regime" and given["small"]:
        raise click.UsageError("--small goes with deep-regression; here: --epochs 30 and a few --rung and --seed")
    if name == "deep-regression":
        if published:
            raise click.UsageError("--published goes with tiny-regime: this paper's figures are not published")
        for word in ("epochs", "batch", "precision", "earlier"):
            if given[word] is not None:
                said = "continue" if word == "earlier" else word
                raise click.UsageError(f"--{said} goes with tiny-regime; here the cards' [regression] say it")


def _tiny(asked: Asked, given: dict[str, Any]) -> tuple[str, Study, Exception | None]:
    """The study of classifiers: what is said, what was found, what went wrong."""
    from edgeval.report.study_text import render_study_text
    from edgeval.workflow.study import study_of_file, study_of_paper
    from edgeval.workflow.study_report import write_study

    fault, out = None, asked.out
    if asked.answers is not None:
        found = study_of_file(asked.answers)
    elif asked.published:
        found = study_of_paper()
    else:
        given.pop("small")
        found, fault, place = _whole(given, asked)
        out = out or place
    page = write_study(found, out) if out else None
    return render_study_text(found, page), found, fault


def _deep(asked: Asked, given: dict[str, Any]) -> tuple[str, DeepRegression, Exception | None]:
    """The same of regressors."""
    from edgeval.report.deep.text import render_deep_text
    from edgeval.workflow.deep import study_of_errors
    from edgeval.workflow.deep_report import write_deep

    fault, out = None, asked.out
    if asked.answers is not None:
        found = study_of_errors(asked.answers)
    else:
        found, fault, place = _regressors(given, asked)
        out = out or place
    page = write_deep(found, out) if out else None
    return render_deep_text(found, page), found, fault


def _regressors(given: dict[str, Any], asked: Asked) -> tuple[DeepRegression, Exception | None, Path]:
    """Simulate, train, export, run and analyse; what was found, what a network ended with, and the study's folder."""
    from edgeval.records.papers import deep_regression
    from edgeval.workflow.deep import DeepOptions, deep_study, folder_of
    from edgeval.workflow.train import TrainOptions

    names = {key: given.pop(key) for key in ("cluster", "ladders", "targets", "formats", "trained_only", "small")}
    given.pop("earlier")
    places = _places(names)
    ladders = (
        (*deep_regression.SMALL, *names["ladders"]) if names["small"] else names["ladders"] or deep_regression.PAPER
    )
    options = DeepOptions(TrainOptions(**given), tuple(dict.fromkeys(ladders)), places, names["formats"])
    done, store = _worked(deep_study, options, names["cluster"], asked)
    return done.found, done.fault, folder_of(store)


def _places(names: dict[str, Any]) -> tuple[str, ...]:
    """The targets; none where only training is asked for."""
    if names["trained_only"] and (names["targets"] or names["formats"]):
        raise click.UsageError("--trained-only runs nothing on a target")
    return () if names["trained_only"] else tuple(names["targets"]) or ("desktop",)


def _whole(given: dict[str, Any], asked: Asked) -> tuple[Study, Exception | None, Path]:
    """Train, export, run and analyse; what was found, what a network ended with, and the study's folder."""
    from edgeval.records.papers import tiny_regime
    from edgeval.workflow.study import StudyOptions, folder_of
    from edgeval.workflow.study import study as work
    from edgeval.workflow.train import TrainOptions

    names = {key: given.pop(key) for key in ("cluster", "ladders", "targets", "formats", "trained_only", "earlier")}
    places = _places(names)
    if names["earlier"] and not names["trained_only"]:
        raise click.UsageError("--continue goes with --trained-only: exports need the networks themselves")
    options = StudyOptions(
        TrainOptions(**given), names["ladders"] or tiny_regime.LADDERS, places, names["formats"], names["earlier"]
    )
    done, store = _worked(work, options, names["cluster"], asked)
    return done.found, done.fault, folder_of(store)


def _worked(work: Callable[..., Any], options: Any, cluster: str | None, asked: Asked) -> tuple[Any, Store]:
    """Do a whole study, on a cluster where one is named; what came of it, and the results folder."""
    from edgeval.workflow.project import open_store
    from edgeval.workflow.remote import pool_of

    store, device = open_store(asked.runs), options.train.device
    with Display(quiet=asked.quiet) as display, pool_of(cluster, "export", display, device=device) as pool:
        return work(options, store, display, pool), store
