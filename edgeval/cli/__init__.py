"""The command line: words in, exit code out; one file a verb, each loaded only when it is asked for."""

from __future__ import annotations

import click

from edgeval import __version__
from edgeval.cli.lazy import Lazy

VERBS = {
    "demo": "The whole chain on bundled data, in a few minutes.",
    "train": "Train the rungs of a ladder.",
    "export": "Export trained rungs to ONNX and TFLite, fp32 and int8.",
    "run": "Run exported models on a target and keep their predictions.",
    "compare": "How a deployed model's answers differ from the full-size model's.",
    "gate": "Whether to ship, by the rules in edgeval.toml.",
    "plan": "How many images the gate needs, and how long that takes.",
    "score": "Every measure of one table of predictions.",
    "diagnose": "Why a model does not reach the accuracy that it should have.",
    "operators": "Which operators suffer from int8, and which file to ship.",
    "scaling": "How error falls with size, as trained and as deployed.",
    "simulate": "Simulated data: magnets of twisted bilayer CrI3.",
    "study": "A whole paper, from training to figures.",
    "report": "Write the report of a comparison again.",
    "init": "Write a commented edgeval.toml.",
    "devices": "The devices that edgeval knows.",
    "models": "The ladders that edgeval knows.",
    "doctor": "What this machine can do.",
}


@click.group(
    cls=Lazy,
    named=VERBS,
    package="edgeval.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", message="edgeval %(version)s")
def cli() -> None:
    """Validate machine-learning models as deployed on edge devices.

    The same images go through your full-size model and through the artifact on your board; edgeval tells which answers
    changed, and where on the way.

    \b
    Examples:
      edgeval demo
      edgeval compare scalecnn-digits100 --target desktop
      edgeval compare --reference big.onnx --candidate small_int8.tflite --data val/
      edgeval gate --target rpi4 --report-dir report
      edgeval score predictions.npz

    Exit codes: 0 done or PASS; 1 a gate rule failed; 2 wrong use or bad input; 3 inconclusive; 4 device unreachable or
    runtime missing; 5 integrity (NO_VERDICT).
    """
