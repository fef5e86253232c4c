"""Widths of MobileNetV2 in channels: what torchvision rounds them to. No torch here, so that cards can be checked."""

from __future__ import annotations

STAGES = (32, 16, 24, 32, 64, 96, 160, 320)  # stem and the seven stages at width 1
LAST, STEP = 1280, 8


def channels(width: float) -> tuple[int, ...]:
    """Channels of the stem, of each stage and of the last convolution at this width."""
    return (*(_rounded(stage * width) for stage in STAGES), _rounded(LAST * max(1.0, width)))


def _rounded(value: float) -> int:
    """The nearest multiple of 8, at least 8, and never more than a tenth under the value."""
    nearest = max(STEP, int(value + STEP / 2) // STEP * STEP)
    return nearest + STEP if nearest < 0.9 * value else nearest
