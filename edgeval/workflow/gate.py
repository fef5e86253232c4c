"""Judge comparisons by the rules of edgeval.toml, and remember each look at the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError
from edgeval.gate.bounds import check_kind, output_place
from edgeval.gate.classes import position
from edgeval.gate.forecast import check_rules
from edgeval.gate.judge import Look, judge, worst
from edgeval.gate.plan import foretell_all
from edgeval.gate.trust import distrust, imported
from edgeval.records.evidence import Evidence
from edgeval.records.findings import Comparison
from edgeval.records.gate import GateSettings, Rule
from edgeval.records.regression import RegressionComparison, RegressionEvidence
from edgeval.records.reporter import Reporter
from edgeval.records.settings import FILE, load_settings, read_settings
from edgeval.records.verdict import RuleResult, Status, Verdict
from edgeval.store import Store
from edgeval.workflow.looks import remember, sight
from edgeval.workflow.partial import Early
from edgeval.workflow.sequential import judge_sequentially

UNLIKELY = 0.5


def gate_settings(config: Path | None) -> GateSettings:
    """The [gate] table of --config or of edgeval.toml here. Raises InputError where there is no rule."""
    settings = read_settings(config) if config else load_settings()
    if not settings.gate.rules:
        seen = config or (FILE if Path(FILE).exists() else f"no {FILE} in this folder")
        raise InputError("the gate has no rules", seen=seen, hint="edgeval init writes an edgeval.toml with rules")
    return settings.gate


def check_rules_for(settings: GateSettings, *, regression: bool, outputs: Sequence[str] = ()) -> None:
    """Raise InputError for a rule on models of the other kind, or on none of their `outputs` as far as these are known,
    before anything runs."""
    for rule in settings.rules:
        check_kind(rule, regression=regression)
        if rule.output and outputs:
            output_place(rule.output, outputs)


def forewarn(settings: GateSettings, reporter: Reporter) -> Callable[[NDArray[np.int64], tuple[str, ...]], None]:
    """Tell, once the data are known and before anything runs, the chance that an unchanged model passes each rule."""

    check_rules_for(settings, regression=False)

    def told(labels: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
        share = settings.discordance
        for name in (name for rule in settings.rules for name in rule.classes):
            position(name, class_names)
        for rule in settings.rules:
            sizes = _sizes(rule, labels, class_names)
            confidence = Look(spends=1 / settings.looks).confidence(rule)
            chance = foretell_all(rule, sizes, share, confidence)
            if chance is None:
                continue
            many = f" of {len(sizes):,} classes, each of which must pass" if len(sizes) > 1 else ""
            said = (
                f"{rule.text}: an unchanged model passes with a chance of {chance:.0%} on {sum(sizes):,} images{many}"
            )
            low = f" - under {UNLIKELY:.0%}: edgeval plan says how many it needs" if chance < UNLIKELY else ""
            reporter.say(f"{'warning: ' if low else ''}{said} ({share:.0%} of answers flipping){low}")

    return told


def early_judge(settings: GateSettings, store: Store, reporter: Reporter) -> Early:
    """Judges each candidate while it runs. Raises InputError for rules that have no sequential form."""
    check_rules(settings.rules)
    return lambda bid: judge_sequentially(bid, settings, store, reporter)


def judge_all(evidences: Sequence[Evidence], settings: GateSettings, store: Store) -> tuple[list[Comparison], Status]:
    """Each comparison with its verdict, and the status that counts for all."""
    rows = [_judged(evidence, settings, store) for evidence in evidences]
    return rows, worst([row.verdict.status for row in rows if row.verdict])


def judge_numbers(
    evidence: RegressionEvidence, settings: GateSettings, store: Store
) -> tuple[RegressionComparison, Status]:
    """A comparison of models that answer with numbers, with its verdict."""
    verdict = _verdict(evidence, settings, store)
    return evidence.comparison.model_copy(update={"verdict": verdict}), verdict.status


def _judged(evidence: Evidence, settings: GateSettings, store: Store) -> Comparison:
    """One comparison, unless it was judged while it ran."""
    row = evidence.comparison
    if row.verdict is not None:
        return row
    return row.model_copy(update={"verdict": _verdict(evidence, settings, store)})


def _verdict(evidence: Evidence | RegressionEvidence, settings: GateSettings, store: Store) -> Verdict:
    """Judge, and write the look down."""
    row = evidence.comparison
    sighting = sight(evidence, store, settings.looks)
    against = distrust(row, require_provenance=settings.require_provenance)
    verdict = judge(evidence, settings.rules, sighting.look, against)
    if isinstance(evidence, Evidence):
        verdict = verdict.model_copy(update={"rules": tuple(_foretold(evidence, settings, verdict))})
    said = imported(row)
    if said:
        verdict = verdict.model_copy(update={"reasons": (*verdict.reasons, said)})
    remember(sighting, verdict.status, store)
    return verdict


def _foretold(evidence: Evidence, settings: GateSettings, verdict: Verdict) -> Iterator[RuleResult]:
    """The results, each with the chance that an unchanged model had to pass."""
    names = evidence.comparison.class_names
    for rule, result in zip(settings.rules, verdict.rules, strict=True):
        sizes = _sizes(rule, evidence.labels, names)
        chance = foretell_all(rule, sizes, settings.discordance, result.confidence)
        yield result.model_copy(update={"pass_chance": chance})


def _sizes(rule: Rule, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> list[int]:
    """Samples behind a rule; of each class that it is about."""
    if rule.metric != "class_accuracy":
        return [len(labels)]
    counts = np.bincount(labels, minlength=len(class_names))
    chosen = [list(class_names).index(name) for name in rule.classes if name in class_names]
    found: list[int] = (counts[chosen] if rule.classes else counts[counts > 0]).tolist()
    return found
