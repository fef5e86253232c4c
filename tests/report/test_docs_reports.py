"""The pipelines of the documentation are YAML, use no action of strangers, and run the command as it is documented."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from edgeval.cli import cli

TEXT = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (yaml.safe_load(body) for body in re.findall(r"```yaml\n(.*?)```", TEXT, re.S))
ACTIONS = {"actions/checkout", "actions/setup-python", "actions/upload-artifact"}
GATE = "edgeval gate --target rpi4 --emulate --report-dir report"


def steps() -> list[dict[str, Any]]:
    (job,) = GITHUB["jobs"].values()
    return list(job["steps"])


def test_the_workflow_uses_githubs_own_actions_only_and_reads_only() -> None:
    assert {step["uses"].split("@")[0] for step in steps() if "uses" in step} == ACTIONS
    assert GITHUB["permissions"] == {"contents": "read"}
    last = steps()[-2:]
    assert [step["if"] for step in last] == ["always()", "always()"]


def test_the_job_keeps_its_report_whatever_the_verdict() -> None:
    job = GITLAB["edgeval"]
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"] == "report/junit.xml"


@pytest.mark.parametrize(
    "lines", [[s["run"] for s in steps() if "run" in s], GITLAB["edgeval"]["script"]], ids=["GitHub", "GitLab"]
)
def test_both_install_and_run_the_same_lines(lines: list[str]) -> None:
    assert lines[:2] == ["pip install 'edgeval-toolkit[run,report]'", GATE]
    for line in "\n".join(lines).splitlines():
        words = shlex.split(line)
        if words[0] == "edgeval":
            command = cli.get_command(click.Context(cli), words[1])
            assert command is not None
            command.make_context(words[1], words[2:], resilient_parsing=False)
