"""The documentation is true: its commands run, its links lead somewhere, its pages are current."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from edgeval.cli import VERBS, cli
from edgeval.records.cards import available
from edgeval.records.ladder import Ladder
from edgeval.records.target import Target
from tests.conftest import Typed

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), ROOT / "models/README.md", ROOT / "devices/README.md"]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind in all pages."""
    return [body for text in TEXTS.values() for body in re.findall(rf"```{kind}\n(.*?)```", text, re.S)]


def commands(kind: str) -> list[str]:
    """The edgeval command lines in blocks of one kind."""
    lines = [line.removeprefix("$ ").split("#")[0].strip() for body in blocks(kind) for line in body.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("edgeval ")))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", commands("console"))
def test_documented_commands_run(type_there: Callable[[str], Typed], line: str) -> None:
    code, _, err = type_there(line.removeprefix("edgeval "))
    assert code == 0, err


@pytest.mark.parametrize("line", [*commands("sh"), *commands("console")])
def test_documented_commands_are_spelt_right(line: str) -> None:
    _, verb, *words = shlex.split(line)
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    command.make_context(verb, words, resilient_parsing=False)


@pytest.mark.parametrize("body", [b for b in blocks("toml") if "schema" in b])
def test_documented_cards_are_cards(body: str) -> None:
    made = tomllib.loads(body)
    kind = Ladder if made["schema"].startswith("edgeval/ladder") else Target
    assert kind.model_validate(made).name == made["name"]


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXTS[name]):
        if "://" not in link:
            assert ((ROOT / name).parent / link).exists(), link


def test_the_command_line_page_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "docs" / "make_cli.py"), str(tmp_path / "cli.md")], check=True)
    assert (tmp_path / "cli.md").read_text() == TEXTS["docs/cli.md"], "run: python docs/make_cli.py"


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help_and_a_place_in_the_docs(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    assert command.help
    assert any(f"edgeval {verb}" in text for name, text in TEXTS.items() if name != "docs/cli.md")


def leaves() -> dict[str, click.Command]:
    """Every command that does something, by its words."""
    found: dict[str, click.Command] = {}
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        inner = command.list_commands(click.Context(command)) if isinstance(command, click.Group) else []
        for name in inner:
            found[f"{verb} {name}"] = command.get_command(click.Context(command), name)  # type: ignore[union-attr, assignment]
        found |= {} if inner or command is None else {verb: command}
    return found


@pytest.mark.parametrize("words", leaves())
def test_every_help_gives_an_example(words: str) -> None:
    help_text = leaves()[words].help or ""
    assert re.search(rf"^ +edgeval {words}", help_text, re.M), help_text


def test_every_page_and_benchmark_is_listed() -> None:
    pages = {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")}
    assert {page for page in pages if f"]({page})" not in TEXTS["README.md"]} == set()
    scripts = {f"tests/benchmarks/{path.name}" for path in ROOT.glob("tests/benchmarks/*.py")}
    assert {script for script in scripts if f"`{script}`" not in TEXTS["docs/benchmarks.md"]} == set()


def test_every_card_has_a_place_in_the_docs() -> None:
    assert all(f"`{name}`" in TEXTS["docs/devices.md"] for name in available("devices"))
    assert all(f"`{name}`" in TEXTS["docs/ladders.md"] for name in available("models"))


def test_the_readme_has_one_line_to_run_and_one_to_test() -> None:
    lines = [line for line in TEXTS["README.md"].splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("edgeval demo")
    assert "pytest" in lines[1]


def test_the_continuous_integration_finds_the_test_line_in_a_readme_of_any_length(tmp_path: Path) -> None:
    """A pipe whose reader stops at the first match fails now and then, and always where much text follows."""
    finder = re.search(r"^line=.*$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.M)
    assert finder is not None
    (tmp_path / "README.md").write_text(TEXTS["README.md"] + "A line more.\n" * 100_000, encoding="utf-8")
    script = f'set -euo pipefail; {finder[0]}; echo "$line"'
    found = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.count("\n")) == (0, 1), found.stderr
    assert found.stdout.strip() in TEXTS["README.md"].splitlines()
    assert "pytest" in found.stdout
