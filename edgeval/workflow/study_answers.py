"""The answers of a study in the results folder: one file that grows with each network that is finished."""

from __future__ import annotations

from pathlib import Path

from edgeval.compare.study.entry import confidences, entry
from edgeval.errors import DataError, IntegrityError
from edgeval.records.answers import Answers, encode, no_answers, read_answers
from edgeval.records.artifact import TORCH
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Silent
from edgeval.store import Store
from edgeval.workflow.data import load_split
from edgeval.workflow.export import ExportJob, ExportOptions, load_net, torch_table, write_torch_answers


class Kept:
    """The file of answers of a study in the results folder; it grows with each network that is finished."""

    def __init__(self, store: Store, folder: Path, earlier: Path | None = None) -> None:
        """Go on from the folder's own file; where it has none yet, from an earlier one."""
        self.store, self.path = store, folder / "answers.npz"
        self.answers: Answers | None = None
        if self.path.exists():
            self.answers = self._own()
        elif earlier:
            self.answers = read_answers(earlier)

    def _own(self) -> Answers:
        """The folder's own file. Raises IntegrityError where it is not what a study wrote."""
        try:
            return read_answers(self.path)
        except DataError as error:
            hint = "remove it and run the same line: trained networks answer again"
            raise IntegrityError(f"{self.path} is damaged", seen=error.what, hint=hint) from error

    def add(self, table: Predictions, ladder: str, rung: str, seed: int, protocol: str) -> None:
        """Keep one network's answers. Raises DataError for answers to other images."""
        sha = table.source.data_sha256 or ""
        before = self.answers or no_answers(sha, table.labels, table.class_names)
        if before.data_sha256 != sha:
            seen, hint = (
                f"{before.data_sha256[:12]} and {sha[:12]}",
                f"remove {self.path}, or choose another --runs DIR",
            )
            raise DataError("the networks of a study must answer the same test images", seen=seen, hint=hint)
        place = table.source.format, table.source.target or "desktop"
        known = {model.key: (model.source.answers_sha256, model.protocol) for model in before.models}
        if table.source.answers_sha256 and known.get((ladder, rung, seed, *place)) == (
            table.source.answers_sha256,
            protocol,
        ):
            return
        line = entry(table, ladder=ladder, rung=rung, seed=seed, protocol=protocol)
        self.answers = before.having(line, table.classes, confidences(table))
        self.store.write(self.path, encode(self.answers))

    def known(self, ladder: Ladder) -> frozenset[tuple[str, int]]:
        """Rungs and seeds whose answers in torch are kept already, trained by this ladder's protocol."""
        models = self.answers.models if self.answers else ()
        mine = (m for m in models if (m.ladder, m.protocol, m.place[0]) == (ladder.name, ladder.train.protocol, TORCH))
        return frozenset((m.rung, m.seed) for m in mine)

    def torch(self, ladder: Ladder, rung: Rung, seed: int) -> None:
        """Keep torch's answers of a trained network."""
        self.add(_torch(self.store, ladder, rung, seed), ladder.name, rung.name, seed, ladder.train.protocol)


def _torch(store: Store, ladder: Ladder, rung: Rung, seed: int) -> Predictions:
    """Torch's answers of a trained network, asked for where they are not kept yet."""
    job = ExportJob(ladder, rung, seed, store.root, ExportOptions())
    if not job.has_answers():
        net, card = load_net(store, ladder, rung, seed)
        write_torch_answers(store, job, net, card, load_split(ladder, "test", Silent().bar("")))
    return store.read_table(torch_table(store, ladder, rung, seed))
