"""The edge: the one place where errors become one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

import click

from edgeval.cli import cli
from edgeval.errors import EdgevalError

INTERRUPTED = 130
HINTS = {
    errno.ENOSPC: "free some space or choose another folder (--runs DIR), then run it again: what is finished is kept",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a folder that you may use, or mend its rights",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code. Never lets a traceback out."""
    try:
        result = cli.main(list(arguments), prog_name="edgeval", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except EdgevalError as error:
        return _say(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit:  # click's way of saying that nobody reads standard output any more
        return 0
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted; what is finished is kept: run the same command to go on", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        hint = HINTS.get(error.errno or 0, "check that place")
        return _say(f"the system refused: {error.strerror or error} (seen: {error.filename or 'no file'}); {hint}", 2)
    except MemoryError:
        return _say("out of memory; try fewer workers or less data", 2)
    except Exception as error:
        return _say(f"unexpected {type(error).__name__}: {error}; please report it with {_log()}", 2)


def _say(text: str, code: int) -> int:
    """One line on standard error."""
    line = " ".join(text.split())
    if sys.stderr is not None:
        sys.stderr.write(f"edgeval: {line}\n")
    return code


def _log() -> str:
    """Keep the traceback in a private file and name it."""
    with tempfile.NamedTemporaryFile("w", prefix="edgeval-error-", suffix=".log", delete=False) as file:
        traceback.print_exc(file=file)
    return file.name
