"""The agent under other Pythons: the oldest and the newest that it promises, those that are too old, and bare ones."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import BenchError, RuntimeMissing
from edgeval.records.artifact import Preprocess
from edgeval.records.target import Transport
from edgeval.run.agentfile import agent_bytes
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import probe
from edgeval.tasks.samples import Samples
from tests.pythons import VERSIONS, any_python, clean, environment, interpreter
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite

PROMISED = VERSIONS[2:]
PINS = {
    "3.7": ("tflite-runtime==2.11.0", "numpy<2"),
    "3.8": ("tflite-runtime==2.14.0", "numpy<2"),
    "3.9": ("tflite-runtime==2.14.0", "numpy<2"),
    "3.10": ("tflite-runtime==2.14.0", "numpy<2"),
    "3.11": ("tflite-runtime==2.14.0", "numpy<2"),
    "3.12": ("ai-edge-litert==2.3.0", "numpy"),
    "3.13": ("ai-edge-litert==2.3.0", "numpy"),
    "3.14": ("ai-edge-litert==2.3.0", "numpy"),
}
EACH = "EDGEVAL_EVERY_PYTHON"  # set it to run models under all of them; else the oldest and the newest do


@pytest.fixture(autouse=True)
def _no_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


def asked(python: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The agent's answer under this Python."""
    path = folder / "agent.pyz"
    path.write_bytes(agent_bytes())
    return subprocess.run([python, str(path), *words], capture_output=True, text=True, check=False, env=clean())


@pytest.mark.parametrize("version", PROMISED)
def test_facts_and_survey_need_nothing_but_python(tmp_path: Path, version: str) -> None:
    python = any_python(version)
    for words in (("facts",), ("survey", str(tmp_path), "/dev/null")):
        done = asked(python, tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert json.loads(done.stdout)["python"].startswith(f"{version}.")


@pytest.mark.parametrize("version", PROMISED)
def test_every_module_of_the_agent_compiles(tmp_path: Path, version: str) -> None:
    (tmp_path / "agent.pyz").write_bytes(agent_bytes())
    code = (
        "import sys, zipfile; a = zipfile.ZipFile(sys.argv[1]); [compile(a.read(n), n, 'exec') for n in a.namelist()]"
    )
    words = [any_python(version), "-W", "error", "-c", code, str(tmp_path / "agent.pyz")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=clean())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_a_python_that_is_too_old_says_so_in_one_line(tmp_path: Path, version: str) -> None:
    python = any_python(version)
    done = asked(python, tmp_path, "facts")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"the agent needs Python 3.7 or later, this is Python {version}\n"
    with pytest.raises(BenchError, match=f"this is Python {version}.*set python in the card") as caught:
        probe(LocalHost(tmp_path / "work", python))
    assert caught.value.exit_code == 4


def test_a_python_without_numpy_names_the_line_that_installs_it(tmp_path: Path) -> None:
    target = make_target().changed(transport=Transport(type="ssh", host="board"))
    job = Job(write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3)), make_samples(), Preprocess(scale=1), target)
    host = LocalHost(tmp_path / "work", environment("3.13"))
    with pytest.raises(RuntimeMissing, match="no numpy") as caught:
        infer(host, job, Memory(), progress=lambda *_: None)
    assert caught.value.hint.startswith("on here: python3 -m pip install ai-edge-litert numpy (")


def chosen() -> list[str]:
    """Pythons of this machine that run models here: the oldest and the newest, or all of them."""
    there = [version for version in PROMISED if interpreter(version)]
    return there if os.environ.get(EACH) else list(dict.fromkeys(there[:1] + there[-1:]))


def run(version: str, folder: Path, model: Path, samples: Samples) -> np.ndarray:
    host, kept = LocalHost(folder / "work", environment(version, *PINS[version])), Memory()
    target = make_target(accept=["tflite-runtime", "litert"], kernels="reference")
    job = Job(model, samples, Preprocess(scale=1), target, chunk=7)
    result = infer(host, job, kept, progress=lambda *_: None)
    assert result.hello["version"] in PINS[version][0]
    assert result.latency is not None
    assert result.peak_memory_mb is not None
    return kept.all()


@pytest.mark.parametrize("version", chosen())
def test_a_model_gives_the_desktops_answers(tmp_path: Path, answer: Callable[..., object], version: str) -> None:
    samples = make_samples(40)
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3), dtype="int8")
    here = answer(model, samples, kernels="reference").outputs  # type: ignore[attr-defined]
    np.testing.assert_array_equal(run(version, tmp_path, model, samples), here)


@pytest.mark.parametrize("version", chosen())
def test_resnet8_gives_the_desktops_classes(
    tmp_path: Path,
    answer: Callable[..., object],
    resnet8: Callable[[str], Path],
    cifar10: Samples,
    version: str,
) -> None:
    samples = cifar10.take(range(30))
    here = answer(resnet8("int8"), samples, kernels="reference").outputs  # type: ignore[attr-defined]
    there = run(version, tmp_path, resnet8("int8"), samples)
    assert (there.argmax(axis=1) == here.argmax(axis=1)).mean() >= 0.95
