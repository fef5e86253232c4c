"""A study of regressors as its analysis would give it: errors that fall as a law, and the noise of int8 on top."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from edgeval.measures.mselaw import geometric_mean, grid_noise
from edgeval.measures.powerlaw import PowerLaw, fit_power
from edgeval.records.deep_regression import (
    Along,
    BaselineRow,
    Check,
    DeepRegression,
    Doubling,
    ErrorLaw,
    ErrorPoint,
    OutputErrors,
    QuantisationFloor,
    SizeErrors,
)
from edgeval.records.laws import Exponent, LawForm, SeedSpread
from edgeval.records.study import Claim
from edgeval.records.units import Unit

OUTPUTS = ("theta", "J", "D")
IMAGES = (250, 500, 1000, 2000, 4000, 8000)
WIDTHS = {16: 70_000, 32: 145_000, 64: 300_000, 128: 650_000}
SEEDS, HELD, STEP = (0, 1, 2), 64, 1 / 255
PLACES = (("torch", "desktop"), ("tflite-int8", "desktop"), ("onnx-int8", "desktop"))
NOISE = {"torch": 0.0, "tflite-fp32": 1e-13, "tflite-int8": 1.0, "onnx-int8": 0.3}
START = {"theta": 3e-4, "J": 2e-3, "D": 8e-3}  # the error at 250 images
UNITS = {
    "theta": Unit(name="degrees", low=0.8, high=2.0),
    "J": Unit(name="meV", low=1, high=3),
    "D": Unit(name="meV", low=0.02, high=0.2),
}
BETA = {"theta": 1.45, "J": 1.1, "D": 0.7}


@cache
def deep(
    nets: tuple[str, ...] = ("fcn", "resnet"),
    outputs: tuple[str, ...] = OUTPUTS,
    places: tuple[tuple[str, str], ...] = PLACES,
) -> DeepRegression:
    """A whole study; names are the caller's."""
    sizes = [(HELD, n) for n in IMAGES] + [(w, IMAGES[4]) for w in WIDTHS if w != HELD]
    rows = tuple(
        _row(k, net, *size, outputs, place) for place in places for k, net in enumerate(nets) for size in sizes
    )
    laws = [
        _law(rows, net, out, along, place)
        for net, out, along, place in product(nets, outputs, ("images", "parameters"), places)
    ]
    floors = [
        _floor(rows, net, out, along, place, laws)
        for net, out, along, place in product(nets, outputs, ("images", "parameters"), places)
        if "int8" in place[0]
    ]
    return DeepRegression(
        name="deep-regression",
        protocols=("small",),
        n=2000,
        outputs=tuple(outputs),
        band=(0.02,) * len(outputs),
        units=tuple(UNITS.get(out, UNITS["J"]) for out in outputs),
        rows=rows,
        laws=tuple(laws),
        floors=tuple(floors),
        doublings=tuple(_doubling(net, out) for net in nets for out in outputs),
        baselines=tuple(_baseline(rows, out, n, nets) for out in outputs for n in IMAGES),
        claims=(
            Claim(number=1, text="MSE falls as a power law", paper="1 to 2", ours="1.4", standing="different protocol"),
            Claim(number=2, text="A vision transformer too", paper="1 to 2", ours="", standing="not measured"),
        ),
        checks=(
            Check(text="the error falls at every step in images", holds=True, seen="every law"),
            Check(text="R2 of each law in images is over 0.95", holds=False, seen="fcn D 0.912"),
        ),
        notes=("images are ours: simulated magnets",),
    )


def _errors(k: int, width: int, images: int, out: str, fmt: str) -> tuple[list[float], float]:
    """MSE of every seed, and the noise of the format."""
    name = out if out in START else "J"
    rng = np.random.default_rng([k, width, images, len(out)])
    trained = START[name] * (1 + k) * (images / 250) ** -BETA[name] * (width / HELD) ** -0.6
    noise = NOISE.get(fmt, 1.0) * {"theta": 1.2e-5, "J": 4e-5, "D": 1e-4}[name] * (1 + 3 * k) * (images / 250) ** -0.05
    return [trained * rng.uniform(0.8, 1.25) + noise for _ in SEEDS], noise


def _row(k: int, net: str, width: int, images: int, outputs: Sequence[str], place: tuple[str, str]) -> SizeErrors:
    fmt, target = place
    made = []
    for out in outputs:
        mses, noise = _errors(k, width, images, out, fmt)
        mse, trained = (geometric_mean(np.array(e)) for e in (mses, _errors(k, width, images, out, "torch")[0]))
        moved = {"noise": noise, "ratio": mse / trained, "left": 0.012, "came": 0.003} if fmt != "torch" else {}
        made.append(
            OutputErrors(
                output=out,
                mse=mse,
                mse_seeds=tuple(mses),
                bias=-0.0004,
                r2=1 - mse * 12,
                p95=2 * mse**0.5,
                max_abs=5 * mse**0.5,
                within=0.9,
                rmse=mse**0.5 * UNITS.get(out, UNITS["J"]).span,
                step=STEP if "int8" in fmt else None,
                **moved,
            )
        )
    return SizeErrors(
        net=net,
        rung=f"w{width}-n{images}",
        width=width,
        params=WIDTHS[width] * (1 + 3 * k),
        images=images,
        format=fmt,
        target=target,
        origin="desktop",
        protocol="small",
        seeds=SEEDS,
        rates=(1e-3, 1e-3, 3e-4),
        size_bytes=None if fmt == "torch" else WIDTHS[width],
        latency_p50_ms=None if fmt == "torch" else 0.21,
        outputs=tuple(made),
    )


def _along(rows: Sequence[SizeErrors], net: str, along: str, place: tuple[str, str]) -> list[SizeErrors]:
    mine = [row for row in rows if row.net == net and (row.format, row.target) == place]
    if along == "images":
        return sorted((row for row in mine if row.width == HELD), key=lambda row: row.images)
    return sorted((row for row in mine if row.images == IMAGES[4]), key=lambda row: row.params)


def _of(row: SizeErrors, out: str) -> OutputErrors:
    return next(one for one in row.outputs if one.output == out)


def _size(row: SizeErrors, along: str) -> int:
    return row.images if along == "images" else row.params


def _law(rows: Sequence[SizeErrors], net: str, out: str, along: Along, place: tuple[str, str]) -> ErrorLaw:
    mine = _along(rows, net, along, place)
    seeds = [np.array(_of(row, out).mse_seeds) for row in mine]
    means = np.array([geometric_mean(found) for found in seeds])
    fitted = fit_power(np.array([float(_size(row, along)) for row in mine]), means)
    return ErrorLaw(
        net=net,
        along=along,
        fixed=f"{HELD} wide" if along == "images" else f"{IMAGES[4]:,} images",
        output=out,
        format=place[0],
        target=place[1],
        exponent=exponent(fitted, seeds=True),
        c=fitted.c,
        r2=fitted.r2,
        falls=bool((np.diff(means) < 0).all()),
        floor=1e-7 if out == "D" else None,
        forms=(LawForm(name="power", aicc=-22.6, parameters={}), LawForm(name="broken", aicc=None, parameters={})),
        points=tuple(
            ErrorPoint(
                name=r.rung, size=_size(r, along), mse=float(m), low=float(e.min()), high=float(e.max()), seeds=3
            )
            for r, m, e in zip(mine, means, seeds, strict=True)
        ),
    )


def exponent(fitted: PowerLaw, *, seeds: bool = False) -> Exponent:
    """As the analysis writes it."""
    ends = (fitted.alpha - 0.05, fitted.alpha + 0.05)
    over = SeedSpread(sd=0.02, ci95=ends, method="m") if seeds else None
    return Exponent(value=fitted.alpha, se=fitted.se, ci95=fitted.ci95, method="m", over_seeds=over)


def _floor(
    rows: Sequence[SizeErrors],
    net: str,
    out: str,
    along: Along,
    place: tuple[str, str],
    laws: Sequence[ErrorLaw],
) -> QuantisationFloor:
    mine = [_of(row, out) for row in _along(rows, net, along, place)]
    twins = [_of(row, out) for row in _along(rows, net, along, PLACES[0])]
    sizes = [_size(row, along) for row in _along(rows, net, along, place)]
    points = [(n, t.mse, m.noise or 0.0, m.mse) for n, t, m in zip(sizes, twins, mine, strict=True)]
    excess = np.array([np.log(noise / trained) for _, trained, noise, _ in points])
    within = excess[0] < 0 < excess[-1]
    key = {
        (law.format, law.target): law.exponent for law in laws if (law.net, law.output, law.along) == (net, out, along)
    }
    before = sum(excess < 0)
    early = _part(points[:before]) if within and before > 2 else None
    return QuantisationFloor(
        net=net,
        along=along,
        fixed=f"{HELD} wide" if along == "images" else f"{IMAGES[4]:,} images",
        output=out,
        format=place[0],
        target=place[1],
        points=tuple(points),
        seeds=3,
        side="within" if within else "before" if excess[0] >= 0 else "after",
        stops=float(np.exp(np.interp(0, excess, np.log(sizes)))) if within else None,
        beyond=None if within or excess[0] >= 0 or along == "parameters" else sizes[-1] * 2.7,
        before=early,
        whole=key[place],
        trained=key[PLACES[0]],
        step=STEP,
        grid=grid_noise(STEP),
        grid_share=grid_noise(STEP) / points[-1][2],
    )


def _part(points: Sequence[tuple[int, float, float, float]]) -> Exponent:
    return exponent(fit_power(np.array([float(p[0]) for p in points]), np.array([p[3] for p in points])))


def _doubling(net: str, out: str) -> Doubling:
    better = "images" if out == "theta" else "cannot be told"
    return Doubling(
        net=net,
        output=out,
        images=IMAGES[4],
        params=WIDTHS[HELD],
        by_images=0.38,
        by_images_ci95=(0.33, 0.46),
        by_params=0.66,
        by_params_ci95=(0.6, 0.71),
        better=better,
    )


def _baseline(rows: Sequence[SizeErrors], out: str, images: int, nets: Sequence[str]) -> BaselineRow:
    errors = {
        net: next(_of(r, out).mse for r in _along(rows, net, "images", PLACES[0]) if r.images == images) for net in nets
    }
    ridge = 6e-2 * (images / 250) ** -1.6 if out == "D" else 4e-5 * (images / 250) ** -1.2
    return BaselineRow(output=out, images=images, mean=1 / 12, ridge=ridge, nets=errors)
