"""Runs a compiler on one file in a private folder, with a time limit and without a shell, and sends what it wrote."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any, Dict, List, Optional

from . import frames

TEXT_MAX = 8000  # characters of its report: within one frame's header


def run(order_path: str) -> int:
    """Run the program of an order; its report and its file are sent as one frame. Returns the exit status.

    `argv` holds {model} and {folder} where these go; `output` is the file that the program leaves in the folder.
    """
    with open(order_path, encoding="utf-8") as file:
        order = json.load(file)
    folder = tempfile.mkdtemp(prefix="edgeval-")
    try:
        tool = Tool(order, folder)
        threading.Thread(target=tool.end_with_host, daemon=True).start()
        frames.write(sys.stdout.buffer, "tool", tool.output(), **tool.outcome)
    except frames.Fault as fault:
        frames.write(sys.stdout.buffer, "error", **fault.fields)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


class Tool:
    """One run of a program."""

    def __init__(self, order: Dict[str, Any], folder: str) -> None:
        self.order, self.folder = order, folder
        self.outcome: Dict[str, Any] = {}
        self.child: Optional["subprocess.Popen[bytes]"] = None

    def output(self) -> bytes:
        """Run it; the bytes of the file that it wrote, empty if it wrote none. Raises Fault."""
        model = os.path.join(self.folder, self.order["name"])
        shutil.copyfile(self.order["model"], model)
        text, status = self._run([self._filled(word, model) for word in self.order["argv"]])
        self.outcome = {"status": status, "text": text[-TEXT_MAX:]}
        try:
            with open(os.path.join(self.folder, self.order["output"]), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def end_with_host(self) -> None:
        """End the program and this process when the host is gone (its end of standard input closes)."""
        while os.read(0, 1024):
            pass
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(1)

    def _filled(self, word: str, model: str) -> str:
        return {"{model}": model, "{folder}": self.folder}.get(word, word)

    def _run(self, argv: List[str]) -> Any:
        """Its words and its exit status. Raises Fault."""
        if shutil.which(argv[0]) is None:
            raise frames.Fault("tool-missing", "the program is not found", argv[0])
        try:
            self.child = subprocess.Popen(
                argv,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise frames.Fault("tool-missing", "the program cannot be started", str(error)) from error
        try:
            text, _ = self.child.communicate(timeout=self.order["timeout_s"])
        except subprocess.TimeoutExpired as error:
            self._kill()
            seen = "{} for {:g} s".format(argv[0], self.order["timeout_s"])
            raise frames.Fault("tool-timeout", "the program does not end", seen) from error
        return text.decode("utf-8", "replace"), self.child.returncode

    def _kill(self) -> None:
        """End the program with all that it started."""
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
