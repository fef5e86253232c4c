"""Stop early: which verdicts can the full set still give, after t of its N images in random order?

The images come in one uniform permutation of the full set, without replacement. A confidence set for the full set's
counts is valid at every look at once, so one may look after every batch and stop as soon as every pair of counts in
the set gives the same verdict: the verdict on all N images differs from that with probability at most `alpha`.

At t = N both agree by construction. A model at the margin passes as often as the fixed gate passes it, and at most
alpha / 2 more often; the simulated difference is far smaller (docs/results/sequential.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.paired import tango_z, z_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ALPHA = 0.01
NET_SHARE = 0.9  # of alpha for lost against gained; the rest for how many are discordant, which matters far less
# Bets are tuned to rejections at these "times" t / (N - t), which is how evidence grows without replacement.
TIMES, WEIGHTS = np.array([0.02, 0.1, 0.5, 2.5]), np.array([0.1, 0.3, 0.4, 0.2])
PRIOR_N, PRIOR_SQUARES = 20, 1.0  # of the running estimate of the variance: 5%
CAP = 0.9  # of the largest bet that cannot lose everything
CHUNK = 200  # draws multiplied before a logarithm is taken
FINE = 30  # candidate totals are m / FINE apart, at least 1


class Total:
    """Confidence sequence for the total of n values from {low, ..., high} drawn without replacement, by betting.

    If the total is m, draw i + 1 has the mean (m - s_i) / (n - i) given the past, s_i the sum so far. Capital that bets
    on higher values, prod (1 + b_i (x_i - mean_i(m))) with bets b_i that look only at the past, is a nonnegative
    martingale, so by Ville's inequality it ever reaches 2 / alpha with probability at most alpha / 2: then m is too
    low. The same downwards. (Waudby-Smith and Ramdas 2024, section 4; capital here is a mixture over four bets.)
    """

    def __init__(self, n: int, alpha: float = ALPHA, *, low: int = 0, high: int = 1) -> None:
        self.n, self.low, self.high = n, low, high
        self.seen, self.sum, self.squares = 0, 0, 0
        self.first, self.last = n * low, n * high  # totals not rejected so far
        self.limit = float(np.log(2 / alpha))
        self.reach = float(np.sqrt(2 * np.log(6 / alpha))) / np.sqrt(n * TIMES)
        self.grid = _grid(self.first, self.last)
        start = np.repeat(np.log(WEIGHTS)[:, None], len(self.grid), axis=1)
        self.up, self.down = start, start.copy()  # (bets, candidates) logarithms of weighted capital

    def add(self, values: NDArray[np.integer]) -> None:
        """The next draws, in their order. ValueError when there are more than n."""
        if self.seen + len(values) > self.n:
            raise ValueError(f"{self.seen + len(values)} draws from a set of {self.n}")
        for start in range(0, len(values), CHUNK):
            self._bet(values[start : start + CHUNK].astype(np.int64))
            self._reject()

    def bounds(self) -> tuple[int, int]:
        """Lowest and highest total that is neither rejected nor impossible; exact when all n are seen."""
        first, last = self._possible()
        low, high = max(first, self.first), min(last, self.last)
        return (low, high) if low <= high else (first, last)

    def certain(self, verdict_of: Callable[[int], str]) -> str | None:
        """The verdict that every total in the bounds gives, else None; the verdict must be monotone in the total."""
        verdicts = {verdict_of(total) for total in self.bounds()}
        return verdicts.pop() if len(verdicts) == 1 else None

    def _possible(self) -> tuple[int, int]:
        """What the draws left can still bring about."""
        left = self.n - self.seen
        return self.sum + self.low * left, self.sum + self.high * left

    def _bet(self, x: Ints) -> None:
        """Play one chunk against every candidate total that is still possible after it."""
        before = self.seen + np.arange(len(x))
        sums = self.sum + np.cumsum(x) - x
        squares = self.squares + np.cumsum(x * x) - x * x
        left, weight = self.n - before, PRIOR_N + before
        deviation = np.sqrt((PRIOR_SQUARES + squares) / weight - (sums / weight) ** 2)
        bet = self.reach[:, None] / (deviation * left / self.n)  # (bets, draws)
        # The cap looks at the candidates from before the chunk, so that bets depend on nothing but the past.
        means = np.clip((np.array([[self.first], [self.last]]) - sums) / left, self.low, self.high)
        up = np.minimum(bet, CAP / np.maximum(means[1] - self.low, 1e-9))
        down = np.minimum(bet, CAP / np.maximum(self.high - means[0], 1e-9))
        self.seen, self.sum, self.squares = self.seen + len(x), int(sums[-1] + x[-1]), int(squares[-1] + x[-1] ** 2)
        first, last = self._possible()
        self._keep((self.grid >= first) & (self.grid <= last))
        # Not betting is a bet that looks only at the past too: upwards against low candidates, downwards against high.
        centre, spread = sums[0] / weight[0], deviation[0] / np.sqrt(weight[0])
        high, low = np.searchsorted(self.grid, [self.n * (centre + spread), self.n * (centre - spread)])
        gap = x[:, None] - (self.grid - sums[:, None]) / left[:, None]  # (draws, candidates)
        for k in range(len(bet)):
            self.up[k, :high] += np.log(np.multiply.reduce(1 + up[k][:, None] * gap[:, :high], axis=0))
            self.down[k, low:] += np.log(np.multiply.reduce(1 - down[k][:, None] * gap[:, low:], axis=0))

    def _reject(self) -> None:
        """Narrow the bounds. Should nothing be left (probability at most alpha), they stay as they were."""
        if not len(self.grid):
            return
        low = self.grid[np.logaddexp.reduce(self.up, axis=0) >= self.limit]
        high = self.grid[np.logaddexp.reduce(self.down, axis=0) >= self.limit]
        first = max(self.first, int(low.max()) + 1) if len(low) else self.first
        last = min(self.last, int(high.min()) - 1) if len(high) else self.last
        if first <= last:
            self.first, self.last = first, last
            self._keep((self.grid >= first) & (self.grid <= last))

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop candidates."""
        if not kept.all():
            self.grid, self.up, self.down = self.grid[kept], self.up[:, kept], self.down[:, kept]


@dataclass(frozen=True)
class Region:
    """Pairs (lost, gained) of the full set that are still possible: bounds of gained - lost and of gained + lost, and
    at least as many of each as were seen."""

    net: tuple[int, int]
    both: tuple[int, int]
    lost: int
    gained: int

    def __contains__(self, pair: tuple[int, int]) -> bool:
        lost, gained = pair
        seen = lost >= self.lost and gained >= self.gained
        return seen and self.net[0] <= gained - lost <= self.net[1] and self.both[0] <= gained + lost <= self.both[1]

    def corners(self) -> list[tuple[int, int]]:
        """The pairs at the ends of the edges with the lowest and with the highest net that hold a pair at all."""
        nets = range(self.net[0], self.net[1] + 1)
        low, high = self._edge(nets), self._edge(reversed(nets))
        return [*low[:1], *high[:1], *low[1:], *high[1:]]  # those that differ most come first

    def _edge(self, nets: Iterator[int] | range) -> list[tuple[int, int]]:
        """Both ends of the first of these nets that holds a pair."""
        for net in nets:
            low = max(self.both[0], 2 * self.lost + net, 2 * self.gained - net)
            low, high = low + (low - net) % 2, self.both[1] - (self.both[1] - net) % 2
            if low <= high:
                return [((both - net) // 2, (both + net) // 2) for both in (low, high)]
        return []


class Sequence:
    """Lost and gained among n images, batch by batch, and the verdict on all n as soon as it is certain."""

    def __init__(self, n: int, alpha: float = ALPHA) -> None:
        self.lost = self.gained = 0
        self.net = Total(n, alpha * NET_SHARE, low=-1)
        self.both = Total(n, alpha * (1 - NET_SHARE))

    def add(self, lost: NDArray[np.bool_], gained: NDArray[np.bool_]) -> None:
        """The next batch, (B,) each, in the order of the permutation."""
        self.lost += int(lost.sum())
        self.gained += int(gained.sum())
        self.net.add(gained.astype(np.int64) - lost)
        self.both.add((gained | lost).astype(np.int64))

    def region(self) -> Region:
        """The confidence set: holds the full set's pair at every look with probability at least 1 - alpha."""
        return Region(self.net.bounds(), self.both.bounds(), self.lost, self.gained)

    def certain(self, verdict_of: Callable[[int, int], str]) -> str | None:
        """The verdict that every pair of the region gives, else None; at n images the verdict itself.

        Only corners are asked. That is sound where more lost and fewer gained are never better, and where along a line
        of equal gained - lost each of PASS and FAIL is given from one end on, if at all: so it is for Tango's bounds
        (more discordant pairs: wider) and for limits on lost.
        """
        first, *rest = self.region().corners()
        verdict = verdict_of(*first)
        return verdict if all(verdict_of(*pair) == verdict for pair in rest) else None


def fixed_verdict(n: int, margin: float, confidence: float) -> Callable[[int, int], str]:
    """The fixed gate's verdict on n images under `max_drop = margin`, as a function of lost and gained."""
    z = z_value(confidence)

    def verdict(lost: int, gained: int) -> str:
        statistic = float(tango_z(lost, gained, n, -margin))
        return "PASS" if statistic >= z else "FAIL" if statistic <= -z else "INCONCLUSIVE"

    return verdict


def _grid(first: int, last: int) -> Ints:
    """Candidate totals: every one near 0, further apart the further from it."""
    points = [0]
    while points[-1] < max(-first, last):
        points.append(points[-1] + max(1, points[-1] // FINE))
    found = np.array(points, dtype=np.int64)
    both = np.unique(np.concatenate([-found, found, [first, last]]))
    return both[(both >= first) & (both <= last)]
