"""A comparison in which every free text tries to break out."""

from __future__ import annotations

from edgeval.records.findings import Answer, Comparison

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "](javascript:alert(1)) [x](javascript:alert(1))",
    "a | b ` c `` d\n\n# heading\n<!-- --> --> ]]> </style></svg></title></textarea>",
    "{{ 7 * 7 }} {% raw %} $x^2$ &lt; @someone \x00 \x1b[31m \u202e \ud800 \N{CAT FACE}",
)


def hostile(row: Comparison) -> Comparison:
    """`row` with these texts in the place of every name, id, note, fact and command."""
    name = {c.name: EVIL[c.index % len(EVIL)] + str(c.index) for c in row.per_class}
    bad = "".join(EVIL)
    side = {"name": bad, "format": bad, "target": bad, "sha256": bad, "runtime": {"engine": bad, bad: bad}}
    side |= {"host": {bad: [bad]}, "fidelity": bad, "notes": (bad,)}

    def answer(a: Answer) -> Answer:
        return a.model_copy(update={"class_name": name[a.class_name]})

    flips = tuple(
        f.model_copy(
            update={
                "id": bad + f.id,
                "label": name[f.label],
                "stage": bad,
                "reference": answer(f.reference),
                "candidate": answer(f.candidate),
            }
        )
        for f in row.flipped
    )
    target = row.target.model_copy(update=side)
    found = row.model_copy(update=_judged(row, bad, name))
    return found.model_copy(
        update={
            "reference": row.reference.model_copy(update=side),
            "candidate": target,
            "target": target,
            "per_class": tuple(c.model_copy(update={"name": name[c.name]}) for c in row.per_class),
            "metrics": {k: m.model_copy(update={"method": bad}) for k, m in row.metrics.items()},
            "stages": tuple(s.model_copy(update={"from_": bad, "to": bad}) for s in row.stages),
            "mcnemar": row.mcnemar.model_copy(update={"method": bad}),
            "flips": row.flips.model_copy(update={"lost_ids": tuple(bad + i for i in row.flips.lost_ids)}),
            "flipped": flips,
            "notes": (bad,),
            "command": bad,
        }
    )


def _judged(row: Comparison, bad: str, name: dict[str, str]) -> dict[str, object]:
    """The parts that only a gate fills, where `row` has them."""
    made: dict[str, object] = {}
    if row.verdict:
        rules = tuple(
            rule.model_copy(
                update={
                    "metric": bad if k == 1 else rule.metric,
                    "text": bad,
                    "why": bad,
                    "method": bad,
                    "classes": tuple(one.model_copy(update={"name": bad}) for one in rule.classes),
                }
            )
            for k, rule in enumerate(row.verdict.rules)
        )
        made["verdict"] = row.verdict.model_copy(update={"rules": rules, "reasons": (bad,) * bool(rules)})
    for field in ("kernel_floor", "retraining_floor"):
        if floor := getattr(row, field):
            made[field] = floor.model_copy(update={"note": bad})
    if row.expected:
        made["expected"] = {k: e.model_copy(update={"method": bad}) for k, e in row.expected.items()}
    if row.worst_class:
        made["worst_class"] = row.worst_class.model_copy(update={"name": bad, "method": bad})
    made["answer_shares"] = tuple(s.model_copy(update={"name": name[s.name]}) for s in row.answer_shares)
    made["confusions"] = tuple(
        c.model_copy(update={"label": name[c.label], "answer": name[c.answer]}) for c in row.confusions
    )
    return made
