"""Fail closed: what forbids a verdict on a comparison whatever its figures say."""

from __future__ import annotations

from edgeval.records.findings import Comparison, Stage
from edgeval.records.predictions import Source
from edgeval.records.regression import RegressionComparison

REPRODUCED = 0.01  # share of answers that may flip between torch and its own float export


def distrust(row: Comparison | RegressionComparison, *, require_provenance: bool = False) -> list[str]:
    """Reasons why there can be no verdict, for runs that edgeval made or that claim a device; none if it is in order.

    Imported tables carry no provenance: the gate decides on them and says so, unless provenance is required.
    """
    reasons = []
    for role, side in (("reference", row.reference), ("candidate", row.candidate)):
        if side.origin == "imported":
            if require_provenance:
                reasons.append(f"the {role} is an imported table and require_provenance is set")
            continue
        reasons += [f"the {role} {said}" for said in _unproven(side)]
    if _emulated(row.candidate) and not (row.candidate.fidelity or "").startswith("bit-exact"):
        said = (row.candidate.fidelity or "unknown").partition(":")[0]
        reasons.append(f"the stand-in is {said}, and only a bit-exact one or the device itself can decide")
    if isinstance(row, Comparison):
        reasons += [_unlike(row, k) for stage in row.stages if (k := _moved(stage)) > max(2, REPRODUCED * row.n)]
    one, two = row.reference.data_sha256, row.candidate.data_sha256
    if one and two and one != two and "imported" not in (row.reference.origin, row.candidate.origin):
        reasons.append(f"the two sides ran on different data ({one[:12]} and {two[:12]})")
    return reasons


def imported(row: Comparison | RegressionComparison) -> str:
    """What is said of a verdict on tables made elsewhere; empty for runs of edgeval's own."""
    roles = [role for role in ("reference", "candidate") if getattr(row, role).origin == "imported"]
    if not roles:
        return ""
    many = f"the {roles[0]} is an imported table" if len(roles) == 1 else "both sides are imported tables"
    return f"{many}: where the answers come from is not proven"


def _emulated(side: Source) -> bool:
    """Whether an emulated board answered, now or when it was recorded."""
    return "emulated" in (side.origin, side.recording.origin if side.recording else "")


def _moved(stage: Stage) -> int:
    """Answers that flipped at export to float, where none should."""
    return stage.lost + stage.gained if stage.name == "export" else 0


def _unlike(row: Comparison, flips: int) -> str:
    """The export did not reproduce the network it came from."""
    return f"the export to float does not reproduce the trained network: {flips:,} of {row.n:,} answers flipped"


def _unproven(side: Source) -> list[str]:
    """What a run of edgeval's own lacks."""
    reasons = []
    if side.leaked:
        reasons.append(f"was calibrated on {side.leaked:,} of these very test images: use other calibration images")
    if side.format == "torch":
        return reasons
    if side.origin == "replayed" and side.recording is None:
        reasons.append("is replayed from a recording that nothing is known of")
    facts = side.runtime or {}
    if not facts.get("version"):
        reasons.append("ran on a runtime of unknown version")
    reasons += [f"ran on another board than its card describes: {said}" for said in facts.get("unexpected") or ()]
    reasons += [f"is not proven to have run on the accelerator: {said}" for said in facts.get("unproven") or ()]
    asked = facts.get("requested_delegate")
    if asked and not facts.get("delegated") and not facts.get("unproven"):
        reasons.append(f"asked for the delegate {asked}, which is not proven to have run")
    return reasons
