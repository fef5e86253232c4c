"""Which rung to ship, in words and as a plain table: for the terminal and for the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from edgeval.records.deployed import Asked, Deployed, Kept, ShipRow
from edgeval.report import wording

SHORT = {
    "top1": "top-1",
    "top5": "top-5",
    "bottom5": "bottom-5",
    "bottom10": "bottom-10",
    "bottom20": "bottom-20",
    "ece": "ECE",
    "ece_equal_mass": "equal-mass ECE",
    "gini": "Gini",
    "nll": "NLL",
    "brier": "Brier score",
    "latency_p50_ms": "latency",
    "peak_memory_mb": "peak memory",
    "arena_kb": "tensor arena",
    "artifact_kb": "file size",
}
HEAD = f"  {'rung':<11}{'top-1':>8}{'bottom-5':>10}{'ECE':>7}{'p50 ms':>8}{'MB':>7}{'kB':>8}{'lost':>8}{'gained':>8}"
DAMAGE = f"  {'rung':<11}{'lost':>8}{'gained':>8}{'net':>11}  95% interval"


def name(metric: str) -> str:
    """A measure in a word or two."""
    return SHORT.get(metric, metric)


def names(metrics: Sequence[str]) -> str:
    """Measures in a row."""
    return ", ".join(name(metric) for metric in metrics)


def answers(found: Deployed) -> list[str]:
    """The sentences that answer: which rung keeps each margin, where deployment costs most, what it does to alpha."""
    said = [line for kept in found.kept for line in kept_words(kept, found)]
    return [*said, front_words(found), *damage_words(found), *alpha_words(found)]


def kept_words(kept: Kept, found: Deployed) -> Iterator[str]:
    """The smallest rung that keeps one margin, and why the next one does not."""
    limit = wording.change(kept.metric, kept.margin).lstrip("+")
    what = f"keeps {name(kept.metric)} within {limit} of {wording.clean(found.reference, 30)} in torch"
    last = kept.asked[-1] if kept.asked else None
    if kept.rung is not None:
        held = next(one for one in kept.asked if one.rung == kept.rung)
        words = f"worst case {wording.change(kept.metric, held.bound)}{_on(held)}"
        yield f"Smallest rung that {what}: {wording.clean(kept.rung, 30)} ({words})."
    elif last is None:
        yield f"No rung can be judged: none {what}, as no seed has both a reference and a deployed file."
    else:
        near = f"the nearest is {wording.clean(last.rung, 30)}, worst case {wording.change(kept.metric, last.bound)}"
        yield f"No rung surely {what}: {near}{_on(last)}."
    if last is not None and last.status != "PASS":
        yield f"{wording.clean(last.rung, 30)} {_refused(last, kept)}."


def _on(asked: Asked) -> str:
    """Which seed a bound is of."""
    return f", seed {asked.seed}" if len(asked.seeds) == 1 else f", seed {asked.seed} of {len(asked.seeds)}"


def _refused(asked: Asked, kept: Kept) -> str:
    """Why a rung does not hold."""
    if asked.status == "NO_VERDICT" or asked.value is None:
        return f"cannot be judged: {wording.clean(asked.why, 300)}"
    change = f"its {name(kept.metric)} changes by {wording.change(kept.metric, asked.value)}"
    ends = sorted(end for end in (asked.bound, asked.good) if end is not None)
    span = f" ({wording.change_interval(kept.metric, (ends[0], ends[1]))})" if len(ends) == 2 else ""
    if asked.status == "FAIL":
        return f"is outside: {change}{span}"
    images = (
        f"about {asked.more_images:,} more images decide it" if asked.more_images else wording.clean(asked.why, 300)
    )
    return f"is undecided: {change}{span}; {images}"


def front_words(found: Deployed) -> str:
    """Which rungs no other one beats."""
    best = [wording.clean(row.name, 20) for row in found.rows if row.front]
    over = names(found.objectives)
    gone = f"; not measured here: {names(found.missing)}" if found.missing else ""
    who = "All rungs are" if len(best) == len(found.rows) else f"{_listed(best)} {'is' if len(best) == 1 else 'are'}"
    return f"{who} on the Pareto front of {over}{gone}."


def damage_words(found: Deployed) -> list[str]:
    """At which rung deployment costs most."""
    known = [(row, row.damage) for row in found.rows if row.damage is not None]
    if not known:
        return []
    row, worst = min(known, key=lambda pair: pair[1].delta)
    span = wording.change_interval("top1", worst.ci95)
    if not any(damage.lost + damage.gained for _, damage in known):
        return ["Deployment flips no answer of any rung's own float network."]
    if worst.delta >= 0:
        return [
            f"Deployment costs no rung top-1 on balance; nearest to it is {wording.clean(row.name, 30)}: 95% {span}."
        ]
    change = f"{wording.change('top1', worst.delta)} of top-1 (95% {span})"
    sure = sum(damage.ci95[1] < 0 for _, damage in known)
    some = f"{sure} of {len(known)} rungs {'loses' if sure == 1 else 'lose'}" if sure else "no rung loses"
    rest = f"{some} more than the choice of images explains"
    return [f"Deployment costs most at {wording.clean(row.name, 30)}: {change}; {rest}."]


def alpha_words(found: Deployed) -> list[str]:
    """Whether deployment changes the exponent."""
    change = found.alpha_change
    if change is None:
        return []
    low, high = change.ci95
    said = "No change of alpha is seen" if low <= 0 <= high else "Deployment changes alpha"
    both = f"{found.alpha.value:.3f} as deployed, {found.alpha.value - change.value:.3f} as trained"
    return [f"{said}: {both}, difference {_alpha(change.value)} (95% {_alpha(low)} to {_alpha(high)})."]


def ship_table(found: Deployed) -> Iterator[str]:
    """A row a rung, the largest last, under it the reference; an asterisk marks the front. Within 80 columns."""
    yield HEAD
    for row in found.rows:
        yield _row(row)
    shares = f"{wording.percent(found.reference_top1):>8}{wording.percent(found.reference_bottom5):>10}"
    yield f"  {wording.clean(found.reference, 5) + ' torch':<11}{shares}{wording.value('ece', found.reference_ece):>7}"
    seeds = {len(row.seeds) for row in found.rows}
    mean = "" if seeds == {1} else f"; means over {_span(seeds)} seeds"
    against = f"lost and gained against {wording.clean(found.reference, 20)} torch"
    yield from wrapped([f"  * on the Pareto front; {found.n:,} images; {against}{mean}"])


def damage_table(found: Deployed) -> Iterator[str]:
    """What deployment did to each rung's own float network."""
    yield DAMAGE
    for row in found.rows:
        if row.damage is not None:
            hurt = row.damage
            counts = f"{count(hurt.lost):>8}{count(hurt.gained):>8}{wording.points(hurt.delta):>11}"
            yield f"  {wording.clean(row.name, 10):<11}{counts}  {wording.change_interval('top1', hurt.ci95)}"


def wrapped(sentences: Sequence[str]) -> list[str]:
    """Sentences within 80 columns, what runs on indented."""
    return [line for one in sentences for line in textwrap.wrap(one, 80, subsequent_indent="  ", break_long_words=True)]


def _row(row: ShipRow) -> str:
    label = wording.clean(row.name, 8) + (" *" if row.front else "")
    shares = f"{wording.percent(row.top1):>8}{wording.percent(row.bottom5):>10}{wording.value('ece', row.ece):>7}"
    memory = row.peak_memory_mb if row.peak_memory_mb is not None else _mb(row.arena_kb)
    costs = f"{figure(row.latency_p50_ms):>8}{figure(memory):>7}{figure(row.artifact_kb):>8}"
    return f"  {label:<11}{shares}{costs}{count(row.lost):>8}{count(row.gained):>8}"


def figure(number: float | None) -> str:
    """Three digits below a hundred, whole numbers above."""
    return wording.DASH if number is None else f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _mb(kb: float | None) -> float | None:
    return None if kb is None else kb / 1000


def count(number: float | None) -> str:
    """A mean number of images; whole where it is, and where it is large."""
    return (
        wording.DASH
        if number is None
        else f"{number:,.0f}"
        if number == round(number) or number >= 1000
        else f"{number:,.1f}"
    )


def _alpha(change: float) -> str:
    return wording.change("alpha", change)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _span(counts: set[int]) -> str:
    return str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
