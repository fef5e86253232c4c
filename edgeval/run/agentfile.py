"""The agent as one file: a zip of its modules that any Python runs, with the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

AGENT = Path(__file__).parent / "agent"
# Read by any Python, 2 among them: one that is too old must say so instead of a SyntaxError.
ENTRY = """import sys
if sys.version_info < (3, 7):
    sys.stderr.write("the agent needs Python 3.7 or later, this is Python %d.%d\\n" % sys.version_info[:2])
    sys.exit(3)
from agent.__main__ import main
sys.exit(main())
"""


@cache
def agent_bytes() -> bytes:
    """The agent's zip; stored without compression and with one fixed date, so that its hash says what is inside."""
    texts = {"__main__.py": ENTRY.encode()}
    texts |= {f"agent/{path.name}": path.read_bytes() for path in sorted(AGENT.glob("*.py"))}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()
