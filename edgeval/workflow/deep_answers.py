"""The errors of a study of regressors in the results folder: one file that grows with each network that is finished."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import DataError, IntegrityError
from edgeval.measures.baselines import kernel_ridge, mean_predictor, shrunk
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Source
from edgeval.records.regressors import (
    BASELINE,
    MEAN,
    RIDGE,
    Regressor,
    Regressors,
    encode_regressors,
    no_regressors,
    read_regressors,
)
from edgeval.records.reporter import Progress
from edgeval.records.values import Values
from edgeval.store import Store
from edgeval.workflow.export import ExportJob, ExportOptions, load_net, torch_table
from edgeval.workflow.measured import load_part
from edgeval.workflow.torch_numbers import kept_values, write_torch_values

MOST_RIDGE = 8000  # training images that kernel ridge still takes: its matrix has as many rows


class KeptErrors:
    """The file of a study of regressors; what is in it is never computed again."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.path = store, folder / "errors.npz"
        self.found: Regressors | None = None
        if self.path.exists():
            try:
                self.found = read_regressors(self.path)
            except DataError as error:
                hint = "remove it and run the same line: trained networks answer again"
                raise IntegrityError(f"{self.path} is damaged", seen=error.what, hint=hint) from error

    def torch(self, ladder: Ladder, rung: Rung, seed: int) -> None:
        """Keep the answers of a trained network, asked for where they are not there yet."""
        path = torch_table(self.store, ladder, rung, seed)
        if not ExportJob(ladder, rung, seed, self.store.root, ExportOptions()).has_answers():
            net, card = load_net(self.store, ladder, rung, seed)
            write_torch_values(path, net, card, load_part(ladder, "test"), self.store)
        self.add(kept_values(path), ladder, rung, seed)

    def add(self, table: Values, ladder: Ladder, rung: Rung, seed: int) -> None:
        """Keep one network's answers. Raises DataError for answers to other images."""
        card = self.store.checkpoint(self.store.rung(ladder.name, rung.name, seed))
        fit = card[1].fit if card else None
        step = _step(table.source)
        assert ladder.regression is not None
        assert rung.images is not None
        line = Regressor(
            ladder=ladder.name,
            net=ladder.net.name or ladder.name,
            rung=rung.name,
            width=rung.width,
            images=rung.images,
            seed=seed,
            protocol=ladder.regression.protocol,
            source=table.source.model_copy(update={"host": None, "notes": ()}),
            rate=fit.rate if fit else None,
            steps=None if step is None else (step,) * table.targets.shape[1],
        )
        trained = None if line.trained else kept_values(torch_table(self.store, ladder, rung, seed)).values
        self._keep(line, table, trained)

    def baselines(self, ladder: Ladder, images: int, progress: Progress) -> None:
        """Keep the mean predictor's answers and those of kernel ridge, fitted to the first training images."""
        train, test = load_part(ladder, "train", images), load_part(ladder, "test")
        mark = train.sha256
        known = {(m.net, m.images) for m in (self.found.models if self.found else ()) if m.source.sha256 == mark}
        if (MEAN, images) not in known:
            source = Source(name=MEAN, format=BASELINE, origin="desktop", sha256=mark, data_sha256=test.sha256)
            values = mean_predictor(train.targets, len(test))
            table = Values(test.targets, values, test.output_names, source, test.samples.ids)
            self._keep(_baseline(MEAN, images, source), table)
        if (RIDGE, images) not in known and images <= MOST_RIDGE:
            validation = load_part(ladder, "validation")
            parts = [(shrunk(part.samples.images), part.targets) for part in (train, validation)]
            found = kernel_ridge(parts[0], parts[1], shrunk(test.samples.images), progress=progress)
            source = Source(name=RIDGE, format=BASELINE, origin="desktop", sha256=mark, data_sha256=test.sha256)
            table = Values(test.targets, found.answers, test.output_names, source, test.samples.ids)
            self._keep(_baseline(RIDGE, images, source), table)

    def _keep(self, line: Regressor, table: Values, trained: NDArray[np.float64] | None = None) -> None:
        sha = table.source.data_sha256 or ""
        before = self.found or no_regressors(sha, table.targets, table.output_names)
        if before.data_sha256 != sha or not np.array_equal(before.targets, table.targets):
            seen = f"{before.data_sha256[:12]} and {sha[:12]}"
            hint = f"remove {self.path}, or choose another --runs DIR"
            raise DataError("the networks of a study must answer the same test images", seen=seen, hint=hint)
        if any(model == line for model in before.models):
            return
        self.found = before.having(line, table.values, trained)
        self.store.write(self.path, encode_regressors(self.found))


def _baseline(name: str, images: int, source: Source) -> Regressor:
    rung = f"n{images}"
    return Regressor(ladder=name, net=name, rung=rung, width=0, images=images, seed=0, protocol=BASELINE, source=source)


def _step(source: Source) -> float | None:
    """The step of the grid that a file's answers lie on; None where they are not quantised."""
    told = (source.runtime or {}).get("output")
    found = told.get("scale") if isinstance(told, dict) else None
    return float(found) if isinstance(found, int | float) and np.isfinite(found) and found > 0 else None
