"""The errors of a study of regressors in the results folder: one file that grows with each network that is finished."""

from __future__ import annotations

from dataclasses import replace
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
from edgeval.records.units import Unit
from edgeval.records.values import Values, step_of
from edgeval.store import Store
from edgeval.workflow.export import ExportJob, ExportOptions, load_net, torch_table
from edgeval.workflow.measured import load_part, units_of
from edgeval.workflow.torch_numbers import kept_values, write_torch_values

LEAST, MOST = 1e-3, 1e4  # spread of a target whose errors keep their digits in float16
MOST_RIDGE = 8000  # training images that kernel ridge still takes: its matrix has as many rows


class KeptErrors:
    """The file of a study of regressors; what is in it is never computed again."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.path = store, folder / "errors.npz"
        self.found: Regressors | None = None
        self._units: tuple[Unit, ...] = ()
        self._seen: tuple[int, int] | None = None
        self._read()

    def suits(self, ladder: Ladder) -> None:
        """Raise DataError for test images that cannot go into this file, before anything is trained for them."""
        assert ladder.regression is not None
        train, test = load_part(ladder, "train", min(ladder.regression.images)), load_part(ladder, "test")
        kinds = [(part.output_names, part.samples.images.shape[1:]) for part in (train, test)]
        if kinds[0] != kinds[1]:
            told = " and ".join(f"{', '.join(names)} of {'x'.join(map(str, shape))}" for names, shape in kinds)
            hint = "give them the same outputs and the same size of images"
            raise DataError(f"training and test data of {ladder.name} differ in kind", seen=told, hint=hint)
        for name, column in zip(test.output_names, test.targets.T, strict=True):
            with np.errstate(over="ignore", invalid="ignore"):
                spread = float(column.std())
            if (column != column[0]).any() and not LEAST <= spread <= MOST:
                hint = "scale the targets of all parts, to about 0..1"
                raise DataError(f"the spread of {name!r} is not within {LEAST:g} to {MOST:g}", seen=spread, hint=hint)
        if self.found is not None:
            self._same(self.found, test.sha256, test.targets)
        self._know(units_of(ladder))

    def _know(self, units: tuple[Unit, ...]) -> None:
        """Keep the outputs' units, also in a file that was begun without them."""
        self._units = units
        self._read()
        if self.found is not None and units and self.found.units != units:
            self._write(replace(self.found, units=units))

    def _read(self) -> None:
        """What is in the file now: another run may have written there."""
        if not self.path.exists() or self._seen == (seen := _stamp(self.path)):
            return
        try:
            self.found, self._seen = read_regressors(self.path), seen
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
        step = step_of(table.source)
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
            mark=card[1].mark or None if card else None,
            train_sha256=card[1].data_sha256 if card else None,
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
        self._read()
        sha = table.source.data_sha256 or ""
        before = self.found or no_regressors(sha, table.targets, table.output_names, units=self._units)
        self._same(before, sha, table.targets)
        if any(model.says(line) for model in before.models):
            return
        self._write(before.having(line, table.values, trained))

    def _write(self, found: Regressors) -> None:
        """Put this into the file."""
        self.found = found
        self.store.write(self.path, encode_regressors(found))
        self._seen = _stamp(self.path)

    def _same(self, before: Regressors, sha: str, targets: NDArray[np.float64]) -> None:
        """Raise DataError for other test images than those of the networks so far."""
        if before.data_sha256 != sha or not np.array_equal(before.targets, targets):
            seen = f"{before.data_sha256[:12]} and {sha[:12]}"
            hint = f"remove {self.path}, or choose another --runs DIR"
            raise DataError("the networks of a study must answer the same test images", seen=seen, hint=hint)


def _stamp(path: Path) -> tuple[int, int]:
    """What tells one version of a file from the next."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _baseline(name: str, images: int, source: Source) -> Regressor:
    rung = f"n{images}"
    return Regressor(ladder=name, net=name, rung=rung, width=0, images=images, seed=0, protocol=BASELINE, source=source)
