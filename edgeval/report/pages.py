"""What every page has in common: templates with escaping on, one style, one script that a policy names by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeval import __version__
from edgeval.errors import RuntimeMissing
from edgeval.report import judged, wording

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
HINT = "pip install 'edgeval-toolkit[report]'"


def environment() -> Environment:
    """Where the templates are. Raises RuntimeMissing without the extra `report`."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401  the charts need it, and are only drawn once all is known to be there
    except ImportError as error:
        raise RuntimeMissing("the HTML report needs the extra `report`", seen=error, hint=HINT) from error
    return _templates()


@cache
def _templates() -> Environment:
    """Jinja2 with escaping on, undefined names an error, and the wording of numbers as filters."""
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        count=wording.count,
        signed_count=wording.signed_count,
        percent=wording.percent,
        number=lambda number, digits=3: wording.DASH if number is None else f"{number:.{digits}f}",
        q=lambda q: wording.DASH if q is None else "< 0.001" if q < 0.001 else f"{q:.3f}",
        clean=wording.clean,
    )
    script = (TEMPLATES / "script.js").read_text(encoding="utf-8")
    made.globals.update(
        wording=wording,
        judged=judged,
        version=__version__,
        script=Markup(script),  # noqa: S704  our own file
        policy=policy(script),
    )
    return made


def policy(script: str) -> str:
    """The content security policy of a page: no network, pictures from within, and this script alone.

    Styles stand in attributes too (the charts), hence `unsafe-inline` for them only.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(parts)


def _finalize(item: Any) -> Any:
    """What a template prints: no control characters, and never the word None."""
    if item is None:
        return wording.DASH
    return wording.visible(item) if type(item) is str else item
