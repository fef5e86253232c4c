"""Progress as plain lines: the time left is that of the work itself, not of its wait for a free worker."""

from __future__ import annotations

import pytest

from edgeval.cli import display


def test_time_before_the_first_news_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: clock[0])
    waits, whole = display._plain_bar("second", "images"), display._plain_bar("at once", "images")
    for seconds, done in ((500, 10), (510, 20), (540, 50), (590, 100)):
        clock[0] = seconds
        waits(done, 100)
    whole(100, 100)
    assert capsys.readouterr().err.splitlines() == [
        "second: 10/100 images",
        "second: 20/100 images, 80 s left",
        "second: 50/100 images, 50 s left",
        "second: 100/100 images, 90 s",
        "at once: 100/100 images, 590 s",
    ]
