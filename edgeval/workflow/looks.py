"""Remember looks at the data: the same samples again are the same look, an extended set is one more."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.gate.judge import Look
from edgeval.records.evidence import Evidence
from edgeval.records.looks import LookLedger, LookRecord
from edgeval.records.predictions import Source
from edgeval.records.regression import RegressionEvidence
from edgeval.records.verdict import Status
from edgeval.store import Store, key, read_arrays


@dataclass(frozen=True)
class Sighting:
    """The look that a comparison is, and what must be written once it is judged."""

    look: Look
    path: Path
    ledger: LookLedger
    marks: dict[str, NDArray[np.int64]]
    repeated: bool


def sight(evidence: Evidence | RegressionEvidence, store: Store, planned: int) -> Sighting:
    """Which look this is. One whose answers to known samples changed is another candidate: its looks start anew."""
    row = evidence.comparison
    names = [_name(source) for source in (row.reference, row.candidate)]
    place = row.target.target or row.target.name
    path = store.root / "looks" / f"{key(*names, place)}.json"
    marks = _marks(evidence)
    ledger = LookLedger(reference=row.reference.name, candidate=row.candidate.name, target=place)
    if path.exists():
        known = read_arrays(path.with_suffix(".npz"))
        if _continues(known, marks):
            ledger = store.read_record(LookLedger, path)
    fingerprint = key(*(values.tobytes().hex() for values in marks.values()))
    before = next((look for look in ledger.looks if look.fingerprint == fingerprint), None)
    if before is not None:
        return Sighting(Look(before.number, before.spends, _note(ledger, before.number)), path, ledger, marks, True)
    number, (spends, room) = len(ledger.looks) + 1, ledger.next_share(planned)
    record = LookRecord(
        number=number,
        n=row.n,
        fingerprint=fingerprint,
        spends=spends,
        planned=room,
        status="NO_VERDICT",
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    ledger = ledger.model_copy(update={"looks": (*ledger.looks, record)})
    return Sighting(Look(number, spends, _note(ledger, number)), path, ledger, marks, False)


def remember(sighting: Sighting, status: Status, store: Store) -> None:
    """Write the look down; one without a verdict spent nothing."""
    if sighting.repeated or status == "NO_VERDICT":
        return
    *rest, last = sighting.ledger.looks
    ledger = sighting.ledger.model_copy(update={"looks": (*rest, last.model_copy(update={"status": status}))})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **sighting.marks)  # type: ignore[arg-type]
    store.open()
    store.write(sighting.path.with_suffix(".npz"), buffer.getvalue())
    store.write_record(sighting.path, ledger)


def _name(source: Source) -> tuple[str, str, str | None]:
    """What stays the same of a side when its samples become more: for a table made elsewhere, only its name."""
    return source.name, source.format, None if source.origin == "imported" else source.sha256


def _marks(evidence: Evidence | RegressionEvidence) -> dict[str, NDArray[np.int64]]:
    """Each sample by a hash of its id, in order of the hash, with label and answer (of numbers: the bits of errors)."""
    digests = (hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8) for name in evidence.ids)
    ids = np.array([int.from_bytes(digest.digest(), "little", signed=True) for digest in digests], dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    if isinstance(evidence, Evidence):
        labels, answers = evidence.labels, evidence.candidate.classes
    else:
        errors = (evidence.errors_reference, evidence.errors_candidate)
        labels, answers = (np.ascontiguousarray(one).view(np.int64).sum(axis=1) for one in errors)
    return {"ids": ids[order], "labels": labels[order], "answers": answers[order]}


def _continues(known: dict[str, NDArray[np.generic]], marks: dict[str, NDArray[np.int64]]) -> bool:
    """Whether some samples were seen before, and none of them with another label or answer."""
    _, old, new = np.intersect1d(known["ids"], marks["ids"], return_indices=True)
    same = all(np.array_equal(known[name][old], marks[name][new]) for name in ("labels", "answers"))
    return bool(len(old)) and same


def _note(ledger: LookLedger, number: int) -> str:
    """What to say of a second look."""
    if number == 1:
        return ""
    total = sum(look.spends for look in ledger.looks[:number])
    sizes = " then ".join(f"{look.n:,}" for look in ledger.looks[:number])
    beyond = "" if total <= 1 + 1e-9 else f"; not all were planned: together they may spend {total:.3g} times the level"
    return f"look {number} at these data ({sizes} images){beyond}"
