"""How many images each rule needs on a device, and how long they take there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeval.errors import InputError
from edgeval.gate.judge import Look
from edgeval.gate.plan import foretell_all, needed
from edgeval.records.cards import Record
from edgeval.records.gate import GateSettings, Rule, share
from edgeval.records.looks import LookLedger
from edgeval.records.predictions import Source
from edgeval.records.target import load_target
from edgeval.store import Store

PLANNED = ("top1", "class_accuracy", "lost_rate", "within_tolerance")


class Plan(Record):
    """Images with which an unchanged model passes a rule with chance `power`; seconds on the target where known.

    For class_accuracy the images are those of each class. `timed`: the slowest model that was timed on the target.
    """

    metric: str
    margin: float
    discordance: float
    power: float
    confidence: float
    look: int
    images: int
    seconds: float | None
    target: str
    timed: str | None = None
    pass_chance: float | None = None


@dataclass(frozen=True)
class Question:
    """What is asked: share of flipping answers, chance to pass, planned looks, target, and images at hand, if any."""

    discordance: float
    power: float
    looks: int
    target: str
    images: int | None = None
    next_look: bool = False


def question(given: dict[str, Any], settings: GateSettings, target: str) -> Question:
    """From what was typed and, where nothing was, from edgeval.toml. Raises InputError."""
    try:
        flips = share(given["discordance"]) if given["discordance"] else settings.discordance
    except ValueError as error:
        raise InputError("--discordance is no share", seen=given["discordance"], hint=f"{error}") from error
    if not 0 < flips < 1:
        raise InputError("--discordance lies between 0 and 100%", seen=given["discordance"], hint='write "5%"')
    return Question(
        flips, given["power"], given["looks"] or settings.looks, target, given["images"], given["next_look"]
    )


def rules_for(metric: str | None, margin: str | None, confidence: float | None, settings: GateSettings) -> list[Rule]:
    """The one rule that was typed, or those of edgeval.toml that can be planned. Raises InputError."""
    if metric is None:
        found = [rule for rule in settings.rules if rule.metric in PLANNED and rule.amount.unit == "pt"]
        if not found:
            hint = "give --metric top1 --margin 2pt, or write rules: edgeval init"
            raise InputError("no rule to plan", seen=f"{len(settings.rules)} rules in edgeval.toml", hint=hint)
        return found
    limit = "max" if metric == "lost_rate" else "max_drop"
    extra = {"tolerance": 1.0} if metric == "within_tolerance" else {}
    try:
        return [Rule.model_validate({"metric": metric, limit: margin, "confidence": confidence or 0.95, **extra})]
    except ValueError as error:
        said = str(error).split("Value error, ")[-1].split(" [type=")[0].replace(f"{limit} = ", "--margin ")
        raise InputError(f"--margin cannot be used: {said}", seen=margin) from error


def plan(rule: Rule, asked: Question, store: Store) -> Plan:
    """Raises InputError where no number of images suffices."""
    if not asked.next_look:  # looks at tables are remembered under a table's name
        load_target(asked.target)
    look = next_look(store, asked) if asked.next_look else Look(spends=1 / asked.looks)
    confidence, margin = look.confidence(rule), rule.margin(None)
    together = asked.power ** (1 / max(1, len(rule.classes)))  # every named class must pass
    images = needed(rule, asked.discordance, confidence=confidence, power=together)
    if images is None or margin is None:
        raise InputError(
            f"no number of images lets an unchanged model pass {rule.text}",
            seen=f"{asked.discordance:.3g} of the answers flip",
            hint="choose a wider margin",
        )
    known, sizes = timed(store, asked.target), [asked.images] * max(1, len(rule.classes)) if asked.images else []
    return Plan(
        metric=rule.metric,
        margin=margin,
        discordance=asked.discordance,
        power=asked.power,
        confidence=confidence,
        look=look.number,
        images=images,
        seconds=images * known.latency.p50 / 1000 if known and known.latency else None,
        target=asked.target,
        timed=f"{known.name} ({known.format})" if known else None,
        pass_chance=foretell_all(rule, sizes, asked.discordance, confidence) if sizes else None,
    )


def in_words(found: Plan, asked: Question) -> list[str]:
    """What a terminal shows of a plan."""
    each = " of each class" if found.metric == "class_accuracy" else ""
    flips = f"where {found.discordance:.2%} of the answers flip, at {found.confidence:.4g} confidence"
    speed = f"no model was timed on {found.target} yet (edgeval run), so how long they take is not known"
    if found.seconds is not None:
        speed = f"about {_time(found.seconds)} on {found.target}, one image at a time, as fast as {found.timed}"
    lines = [
        f"{found.metric} within {100 * found.margin:g} pt: {found.images:,} images{each}",
        f"  an unchanged model passes with a chance of {found.power:.0%} {flips}",
        f"  {speed}",
    ]
    if found.pass_chance is not None:
        lines.append(f"  with {asked.images:,} images it passes with a chance of {found.pass_chance:.0%}")
    return lines


def _time(seconds: float) -> str:
    """Seconds in a unit that reads well."""
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds / 60:,.0f} min"


def next_look(store: Store, asked: Question) -> Look:
    """The look that comes after those remembered for this target: of the candidate that was looked at most often."""
    kept = [store.read_record(LookLedger, path) for path in store.ledgers()]
    mine = [ledger for ledger in kept if ledger.target == asked.target]
    if not mine:
        hint = "leave --next-look away"
        raise InputError(f"no look at data of {asked.target} is remembered in {store.root}", hint=hint)
    ledger = max(mine, key=lambda one: len(one.looks))
    return Look(len(ledger.looks) + 1, ledger.next_share(asked.looks)[0])


def timed(store: Store, target: str) -> Source | None:
    """The slowest model whose latency on this target is in the results folder."""
    found = [source for source in store.sources() if source.target == target and source.latency is not None]
    return max(found, key=lambda source: source.latency.p50 if source.latency else 0.0, default=None)
