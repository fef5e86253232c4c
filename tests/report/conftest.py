"""Comparisons as a real run would give them: 100 classes, 4,000 images, three rungs, stages that close."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.records.artifact import Preprocess
from edgeval.records.findings import (
    Answer,
    AnswerShare,
    Bin,
    ClassDelta,
    ClassScore,
    Comparison,
    ConfusionChange,
    Delta,
    Estimate,
    Expectation,
    Flip,
    Flips,
    Floor,
    FloorPair,
    Mcnemar,
    Overlap,
    Recalibration,
    Reliability,
    Score,
    Stage,
    WorstClass,
)
from edgeval.records.predictions import Latency, Source, softmax
from edgeval.records.verdict import ClassResult, RuleResult, Status, Verdict
from edgeval.report.html import render_html
from edgeval.report.thumbnails import thumbnail

N, CLASSES = 4_000, 100
WORDS = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard "
    "lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark "
    "shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
NAMES = tuple(WORDS.split())
STEPS = ("size", "export", "quantisation", "device")


def source(name: str, fmt: str, *, params: int, origin: str = "desktop") -> Source:
    """Where a column of the report comes from, with every fact that a run records."""
    board = origin != "desktop"
    return Source(
        name=name,
        format=fmt,
        origin=origin,
        sha256=f"{params:064x}",
        params=params,
        size_bytes=params * (1 if "int8" in fmt else 4) + 21_000,
        target="rpi4" if board else "desktop",
        runtime={"engine": "litert", "version": "2.3.0", "kernels": "auto", "threads": 1, "delegate": None},
        host={
            "machine": "aarch64" if board else "x86_64",
            "model": "Raspberry Pi 4 Model B",
            "cpu_features": ["asimd"],
        },
        fidelity="bit-exact" if origin == "emulated" else None,
        data_sha256="9f" * 32,
        preprocess=Preprocess(mean=(0.507, 0.487, 0.441), std=(0.267, 0.256, 0.276)),
        latency=Latency(p50=4.2, p95=4.9, n=500, threads=1),
        peak_memory_mb=41.5,
    )


def chain(seed: int, *, shrink: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """(labels, probabilities after no step and after each of the four steps)."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(N) % CLASSES)
    ease = rng.normal(7.2, 1.2, CLASSES)[labels]
    logits = rng.gumbel(0, 1.25, (N, CLASSES))
    logits[np.arange(N), labels] += ease
    tables = [logits]
    for noise, loss in ((1.0, shrink), (0.002, 0), (0.22, 0.12), (0.05, 0)):
        logits = logits + rng.normal(0, noise, logits.shape)
        logits[np.arange(N), labels] -= loss * rng.uniform(0.2, 1.8, CLASSES)[labels]
        tables.append(logits)
    return labels, [softmax(table) for table in tables]


def bins(probabilities: np.ndarray, correct: np.ndarray) -> tuple[Bin, ...]:
    """15 equal-width bins (lo, hi] of the top-1 confidence."""
    confidence = probabilities.max(axis=1)
    place = np.clip(np.ceil(confidence * 15) - 1, 0, 14).astype(int)
    made = []
    for k in range(15):
        here = place == k
        n = int(here.sum())
        made.append(
            Bin(
                lo=k / 15,
                hi=(k + 1) / 15,
                n=n,
                confidence=float(confidence[here].mean()) if n else None,
                accuracy=float(correct[here].mean()) if n else None,
            )
        )
    return tuple(made)


def ece(diagram: tuple[Bin, ...]) -> float:
    return sum(b.n * abs(b.accuracy - b.confidence) for b in diagram if b.n) / sum(b.n for b in diagram)


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max((first | second).sum(), 1))


def delta(reference: float, candidate: float, half: float, method: str) -> Delta:
    """A difference with an interval of this half width."""
    change = candidate - reference
    return Delta(
        reference=reference, candidate=candidate, delta=change, ci95=(change - half, change + half), method=method
    )


def worst(values: np.ndarray, k: int) -> float:
    return float(np.sort(values)[:k].mean())


def gini(values: np.ndarray) -> float:
    return float(np.abs(values[:, None] - values[None]).mean() / (2 * values.mean()))


def metrics(labels: np.ndarray, sides: list[np.ndarray]) -> tuple[dict[str, Delta], list[np.ndarray]]:
    """The measures of both sides, and the accuracy of each class on both."""
    rights = [p.argmax(axis=1) == labels for p in sides]
    classes = [np.bincount(labels, r, CLASSES) / np.bincount(labels, minlength=CLASSES) for r in rights]
    truth = [np.clip(p[np.arange(N), labels], 1e-12, 1) for p in sides]
    basic = "basic bootstrap, 2,000 resamples, stratified by class"
    pairs = {
        "top1": ([r.mean() for r in rights], 0.009, "Tango score interval"),
        "ece": ([ece(bins(p, r)) for p, r in zip(sides, rights, strict=True)], 0.008, basic),
        "gini": ([gini(c) for c in classes], 0.006, basic),
        "bottom5": ([worst(c, 5) for c in classes], 0.061, f"{basic} (approximate)"),
        "nll": ([-np.log(t).mean() for t in truth], 0.021, "paired t interval"),
        "brier": ([((p**2).sum(1) - 2 * t + 1).mean() for p, t in zip(sides, truth, strict=True)], 0.011, basic),
    }
    return {k: delta(float(v[0]), float(v[1]), h, m) for k, (v, h, m) in pairs.items()}, classes


def stages(labels: np.ndarray, tables: list[np.ndarray], names: list[str]) -> tuple[tuple[Stage, ...], np.ndarray, int]:
    """The steps, for each sample the last step at which it flipped (-1: none), and the number cancelled."""
    right = np.array([p.argmax(axis=1) == labels for p in tables])
    moved = right[1:] != right[:-1]
    charged = np.where(moved.any(0), len(STEPS) - 1 - moved[::-1].argmax(0), -1)
    net_moved = right[0] != right[-1]
    made = []
    for k, name in enumerate(STEPS):
        lost, gained = int((right[k] & ~right[k + 1]).sum()), int((~right[k] & right[k + 1]).sum())
        mine = (charged == k) & net_moved
        made.append(
            Stage(
                name=name,
                from_=names[k],
                to=names[k + 1],
                top1=float(right[k + 1].mean()),
                ece=ece(bins(tables[k + 1], right[k + 1])),
                lost=lost,
                gained=gained,
                net=gained - lost,
                jaccard=jaccard(~right[k], ~right[k + 1]),
                charged_lost=int((mine & right[0]).sum()),
                charged_gained=int((mine & ~right[0]).sum()),
            )
        )
    return tuple(made), np.where(net_moved, charged, -1), int((moved.any(0) & ~net_moved).sum())


def flipped(labels: np.ndarray, tables: list[np.ndarray], charged: np.ndarray, ids: list[str]) -> tuple[Flip, ...]:
    """Each sample whose answer turned wrong or right."""
    first, last = tables[0], tables[-1]

    def answer(table: np.ndarray, i: int) -> Answer:
        return Answer(class_name=NAMES[table[i].argmax()], confidence=float(table[i].max()))

    return tuple(
        Flip(
            id=ids[i],
            label=NAMES[labels[i]],
            kind="lost" if first[i].argmax() == labels[i] else "gained",
            stage=STEPS[charged[i]],
            reference=answer(first, i),
            candidate=answer(last, i),
        )
        for i in np.flatnonzero(charged >= 0)
    )


def comparison(rung: str = "c4", *, shrink: float = 0.9, origin: str = "emulated", seed: int = 0) -> Comparison:
    """One rung as int8 on a board against the full-size model."""
    labels, tables = chain(seed, shrink=shrink)
    ids = [f"test/{i:05d}" for i in range(N)]
    chain_names = ["c16 torch", f"{rung} torch", f"{rung} tflite-fp32", f"{rung} tflite-int8", f"{rung} on rpi4"]
    steps, charged, cancelled = stages(labels, tables, chain_names)
    right = [tables[0].argmax(1) == labels, tables[-1].argmax(1) == labels]
    measured, classes = metrics(labels, [tables[0], tables[-1]])
    lost, gained = np.flatnonzero(right[0] & ~right[1]), np.flatnonzero(~right[0] & right[1])
    errors = [int((~r).sum()) for r in right]
    j, a, b = jaccard(~right[0], ~right[1]), errors[0] / N, errors[1] / N
    candidate = source(rung, "tflite-int8", params=int(rung[1:]) ** 2 * 4_700, origin=origin)
    return Comparison(
        reference=source("c16", "torch", params=1_203_000),
        candidate=candidate,
        target=candidate,
        n=N,
        metrics=measured,
        per_class=tuple(
            ClassDelta(
                index=k,
                name=NAMES[k],
                n=N // CLASSES,
                reference=float(classes[0][k]),
                candidate=float(classes[1][k]),
                delta=float(classes[1][k] - classes[0][k]),
                q=float(min(1.0, 0.9 * np.exp(-18 * abs(classes[1][k] - classes[0][k])))),
            )
            for k in range(CLASSES)
        ),
        overlap=Overlap(
            errors_reference=errors[0],
            errors_candidate=errors[1],
            jaccard=j,
            jaccard_max=min(errors) / max(errors),
            jaccard_independent=a * b / (a + b - a * b),
            ci95=(j - 0.03, j + 0.03),
        ),
        flips=Flips(
            both_right=int((right[0] & right[1]).sum()),
            lost=len(lost),
            gained=len(gained),
            both_wrong=int((~right[0] & ~right[1]).sum()),
            lost_ids=tuple(ids[i] for i in lost),
            gained_ids=tuple(ids[i] for i in gained),
        ),
        mcnemar=Mcnemar(p=1e-9, method="mid-p McNemar"),
        latency_ms=candidate.latency,
        stages=steps,
        cancelled=cancelled,
        smallest_drop=0.008,
        reliability=Reliability(reference=bins(tables[0], right[0]), candidate=bins(tables[-1], right[1])),
        flipped=flipped(labels, tables, charged, ids),
        class_names=NAMES,
        notes=("12 top-1 ties of the int8 grid went to the lowest index.",),
        command=f"edgeval compare scalecnn-cifar100 --target rpi4 --rung {rung}",
    )


RULES = (
    RuleResult(
        metric="top1",
        margin=0.02,
        value=-0.06,
        bound=-0.07,
        good=-0.05,
        confidence=0.95,
        status="FAIL",
        text='metric = "top1", max_drop = "2pt"',
        pass_chance=0.93,
    ),
    RuleResult(
        metric="ece",
        margin=0.02,
        value=0.012,
        bound=0.026,
        good=0.001,
        confidence=0.95,
        status="INCONCLUSIVE",
        limit="max_increase",
        more_images=2300,
    ),
    RuleResult(metric="latency_p95_ms", margin=20, value=4.2, bound=4.9, confidence=0.95, status="PASS", limit="max"),
    RuleResult(
        metric="class_accuracy",
        margin=0.05,
        value=-0.11,
        bound=-0.2,
        good=-0.02,
        confidence=0.975,
        status="INCONCLUSIVE",
        more_images=400,
        classes=(
            ClassResult(name="beaver", n=40, value=-0.11, bound=-0.2, status="INCONCLUSIVE", p=0.04),
            ClassResult(name="otter", n=40, value=0.01, bound=-0.03, status="PASS"),
        ),
    ),
)
CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "NO_VERDICT": 5}


def judge(row: Comparison, status: Status, **values: object) -> Comparison:
    """`row` with a verdict of this status, and the rules that go with it."""
    kept = {"PASS": RULES[2:3], "FAIL": RULES, "INCONCLUSIVE": RULES[1:], "NO_VERDICT": ()}[status]
    reasons = ("the runtime's version is unknown",) if status == "NO_VERDICT" else ()
    verdict = Verdict(status=status, exit_code=CODES[status], look=1, reasons=reasons, rules=kept)
    return row.model_copy(update={"verdict": verdict.model_copy(update=values)})


def judged_row(row: Comparison, status: Status = "FAIL") -> Comparison:
    """`row` with a verdict and everything else that a gate's comparison can hold."""
    pairs = [("xnnpack", "builtin", 20, 20), ("builtin", "reference", 15, 10)]
    kernel = tuple(
        FloorPair(one=a, other=b, n=1000, changed=lost + won + 9, lost=lost, gained=won, jaccard=0.9)
        for a, b, lost, won in pairs
    )
    seeds = FloorPair(one="seed 0", other="seed 1", n=N, changed=900, lost=300, gained=280, jaccard=0.6)
    names = [c.name for c in row.per_class]
    shares = tuple(
        AnswerShare(index=k, name=name, reference=0.01, candidate=0.0 if k < 2 else 0.01, delta=0.0, q=0.2)
        for k, name in enumerate(names)
    )
    shares = tuple(s.model_copy(update={"collapsed": s.index < 2}) for s in shares)
    found = {
        "kernel_floor": Floor(n=1000, pairs=kernel, flips=40, share=0.04, jaccard=0.9, note="in 12 s"),
        "retraining_floor": Floor(n=N, pairs=(seeds,), flips=580, share=0.145, jaccard=0.6),
        "expected": {"top1": Expectation(value=0.5, lo=0.48, hi=0.52, method="own float checkpoints, 3 seeds")},
        "worst_class": WorstClass(
            index=4, name=names[4], n=40, lost=30, gained=2, delta=-0.7, p=0.002, method="sign-flip null"
        ),
        "answer_shares": shares,
        "confusions": tuple(
            ConfusionChange(label=names[k], answer=names[-k - 1], reference=k, candidate=30 - k) for k in range(14)
        ),
        "recalibration": Recalibration(
            temperature=1.34,
            temperature_reference=1.1,
            ece=0.021,
            nll=1.8,
            threshold_reference=0.8,
            threshold=0.71,
            accepted=0.42,
            accepted_unchanged=0.31,
            accuracy_reference=0.93,
            accuracy=0.88,
            accuracy_unchanged=0.92,
        ),
    }
    return judge(row.model_copy(update=found), status)


def picture(seed: int, side: int = 32) -> bytes:
    """A smooth coloured blob with some grain, as PNG."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    waves = [np.sin(rng.uniform(1, 6) * x + rng.uniform(1, 6) * y + rng.uniform(0, 6)) for _ in range(3)]
    image = 128 + 90 * np.stack(waves, -1) + rng.normal(0, 12, (side, side, 3))
    return thumbnail(np.clip(image, 0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def row() -> Comparison:
    return comparison()


@pytest.fixture(scope="session")
def rows(row: Comparison) -> list[Comparison]:
    return [comparison("c12", shrink=0.2), comparison("c8", shrink=0.5), row]


@pytest.fixture(scope="session")
def pictures(row: Comparison) -> dict[str, bytes]:
    return {flip.id: picture(k) for k, flip in enumerate(row.flipped)}


@pytest.fixture(scope="session")
def one(row: Comparison, pictures: dict[str, bytes]) -> str:
    return render_html([row], images=pictures)


@pytest.fixture(scope="session")
def three(rows: list[Comparison], pictures: dict[str, bytes]) -> str:
    return render_html(rows, images=pictures)


@pytest.fixture(scope="session")
def judged(row: Comparison) -> Comparison:
    return judged_row(row)


@pytest.fixture(scope="session")
def judged_page(judged: Comparison, pictures: dict[str, bytes]) -> str:
    return render_html([judged], images=pictures)


@pytest.fixture(scope="session")
def plain_row() -> Comparison:
    """Two tables of bare classes: no probabilities, no stages, no latency, no q, no interval where none can be had."""
    side = Source(name="old", format="table")
    return Comparison(
        reference=side,
        candidate=Source(name="new", format="table"),
        target=Source(name="new", format="table"),
        n=10,
        metrics={
            "top1": Delta(reference=0.8, candidate=0.7, delta=-0.1, ci95=(-0.4, 0.2), method="Tango score interval"),
            "ece": Delta(reference=None, candidate=None, delta=None, method="needs probabilities on both sides"),
            "gini": Delta(reference=0.2, candidate=0.25, delta=0.05, method="too few images a class for an interval"),
        },
        per_class=(
            ClassDelta(index=0, name="cat", n=10, reference=0.8, candidate=0.7, delta=-0.1),
            ClassDelta(index=1, name="dog", n=0, reference=None, candidate=None, delta=None),
        ),
        overlap=Overlap(
            errors_reference=2, errors_candidate=3, jaccard=0.25, jaccard_max=0.667, jaccard_independent=0.136
        ),
        flips=Flips(both_right=6, lost=2, gained=1, both_wrong=1, lost_ids=("1", "2"), gained_ids=("3",)),
        mcnemar=Mcnemar(p=0.625, method="mid-p McNemar"),
    )


@pytest.fixture(scope="session")
def score(row: Comparison) -> Score:
    """The candidate of `row` alone."""

    def estimate(metric: str) -> Estimate:
        d = row.metrics[metric]
        return Estimate(value=d.candidate, ci95=(d.candidate - 0.01, d.candidate + 0.01), method=d.method)

    names = ("top1", "gini", "bottom5", "ece", "nll", "brier")
    rest = {"top5": 0.93, "bottom10": 0.45, "bottom20": 0.5, "ece_equal_mass": 0.05}
    return Score(
        source=row.candidate,
        n=row.n,
        per_class=tuple(ClassScore(index=c.index, name=c.name, n=c.n, value=c.candidate) for c in row.per_class),
        clipped=3,
        ties=12,
        **{name: estimate(name) for name in names},
        **{name: Estimate(value=number) for name, number in rest.items()},
    )
