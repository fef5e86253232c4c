"""A real browser renders the page without an error and without sideways scrolling."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = next((b for b in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if b), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr --dump-dom"
)
PROBE = """<script>
document.querySelectorAll("details").forEach(d => d.open = true);
parent.postMessage(JSON.stringify({
  window: innerWidth, page: document.documentElement.scrollWidth,
  paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
  broken: [...document.images].filter(i => !i.complete).length,
  small: [...document.querySelectorAll("svg text")].filter(t => t.getBoundingClientRect().height < 9).length,
}), "*");
</script>"""
# A window cannot be as narrow as a phone, but a frame can.
FRAME = """<!doctype html><title>probe</title><script>
addEventListener("message", event => document.documentElement.dataset.probe = event.data);
</script><iframe src="report.html" width="{width}" height="900" style="border: 0"></iframe>"""


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: the page was not rendered")
@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_a_browser_shows_the_page(three: str, tmp_path: Path, width: int, dark: bool) -> None:
    (tmp_path / "report.html").write_text(three.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    flags = [*FLAGS.split(), "--window-size=1400,1000", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    address = (tmp_path / "frame.html").as_uri()
    command = [str(BROWSER), *flags, f"--user-data-dir={tmp_path / 'profile'}", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found is not None
    probe = json.loads(found.group(1).replace("&quot;", '"'))
    assert probe["window"] == width
    assert probe["page"] <= width
    assert (probe["broken"], probe["small"]) == (0, 0)
    red = {name: int(re.findall(r"\d+", probe[name])[0]) for name in ("paper", "ink")}
    assert (red["paper"] < red["ink"]) == dark
