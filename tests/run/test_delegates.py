"""External delegates in the agent, with a stand-in library that works or fails in each known way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError, EdgevalError, IntegrityError, ModelError, RuntimeMissing, UnreachableError
from edgeval.records.artifact import Preprocess
from edgeval.records.target import Target
from edgeval.run.delegates import try_delegate
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from tests.edgetpu_files import CACHING, Run, compiled, flexbuffer, package
from tests.pythons import environment
from tests.run.tiny_models import Answer, Memory, make_samples, make_target, write_tflite
from tests.standin import GOOGLES, YOUNG, Library

LITERT, WORKS = ("litert", "2.3.0"), Library()


@pytest.fixture
def coral(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Target]:
    """An edgetpu card whose delegate is a stand-in."""

    def make(library: Library | str = WORKS, kind: str = "edgetpu", **runtime: Any) -> Target:
        path = library if isinstance(library, str) else str(library.build(tmp_path_factory.getbasetemp()))
        delegate = {"library": path, **runtime.pop("delegate", {})}
        return make_target(delegate=delegate, **runtime).changed(kind=kind, name="stick")

    return make


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m_edgetpu.tflite"
    path.write_bytes(compiled(flexbuffer(package(Run(CACHING, 10)))))
    return path


def test_a_compiled_model_runs_on_the_delegate_and_says_so(
    coral: Callable[..., Target], model: Path, answer: Callable[..., Answer]
) -> None:
    samples = make_samples(12)
    ran = answer(model, samples, target=coral(), latency=True)
    said = ran.result.hello
    assert (said["delegate"], said["delegated"], said["unproven"]) == ("edgetpu", 1, [])
    assert (said["delegate_name"], said["devices"][0]["type"]) == ("libedgetpu (runtime 14)", "usb")
    expected = samples.images.reshape(12, -1)[:, :3].astype(int) - 128
    np.testing.assert_array_equal(ran.outputs, expected)
    assert ran.result.latency is not None


def test_another_delegate_takes_what_it_takes(
    coral: Callable[..., Target], tmp_path: Path, answer: Callable[..., Answer]
) -> None:
    target = coral(Library("takes-dense", without="NO_EDGETPU"), kind="cpu")
    plain = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8")
    said = answer(plain, make_samples(), target=target).result.hello
    assert (said["delegated"], said["unproven"]) == (1, [])
    assert said["delegate"] == said["requested_delegate"] == target.runtime.delegate.library  # type: ignore[union-attr]


def test_a_plain_model_that_the_delegate_leaves_alone_is_refused_or_labelled(
    coral: Callable[..., Target], tmp_path: Path, answer: Callable[..., Answer]
) -> None:
    plain = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8")
    with pytest.raises(IntegrityError, match=r"took no operator: the model would run on the CPU.*compile it"):
        answer(plain, make_samples(), target=coral())
    said = answer(plain, make_samples(), target=coral(on_missing="cpu")).result.hello
    assert (said["delegate"], said["delegated"]) == (None, 0)
    assert said["unproven"] == ["the delegate took no operator", "the model has no edgetpu-custom-op operator"]


def test_without_a_listed_device_nothing_is_proven(
    coral: Callable[..., Target], model: Path, answer: Callable[..., Answer]
) -> None:
    said = answer(model, make_samples(), target=coral(Library(devices=0))).result.hello
    assert (said["delegated"], said["unproven"]) == (1, ["the library lists no device"])


def test_a_compiled_model_without_delegate_is_named(model: Path, answer: Callable[..., Answer]) -> None:
    with pytest.raises(ModelError, match=r"compiled for the Edge TPU, and no Edge TPU delegate .*edgetpu-custom-op"):
        answer(model, make_samples())


def test_a_model_for_a_younger_runtime_is_refused(
    coral: Callable[..., Target], model: Path, answer: Callable[..., Answer]
) -> None:
    with pytest.raises(RuntimeMissing, match=r"younger Edge TPU runtime .seen: it needs 15, installed: 14.*-m"):
        answer(model, make_samples(), target=coral(), accelerator={"min_runtime": 15})


FAULTS: list[tuple[Library | str, type[EdgevalError], str]] = [
    ("libno-such-delegate.so.1", RuntimeMissing, "library is not found .seen: libno-such-delegate.so.1.*libedgetpu1"),
    ("/no/such/lib.so", RuntimeMissing, "library is not found .seen: /no/such/lib.so"),
    (Library(without="NO_PLUGIN"), RuntimeMissing, "holds no TFLite delegate: it lacks tflite_plugin_create_delegate"),
    (Library(without="NO_EDGETPU"), RuntimeMissing, "not the Edge TPU's: it lacks edgetpu_version"),
    (Library("speaks"), RuntimeMissing, "refuses to start .seen: the device answers with error 7"),
    (Library("silent", devices=0), UnreachableError, "no Edge TPU is found .seen: no USB id 1a6e:089a or 18d1:9302"),
    (Library("silent"), UnreachableError, "is there and its delegate does not start .seen: /sys/bus/usb/devices/1-9"),
    (Library("crash-at-load"), BenchError, r"crash together: signal 11 .SIGSEGV. .seen: .*\.so with litert 2.3.0, Py"),
    (Library(version=GOOGLES), RuntimeMissing, "crashes with this runtime .seen: libedgetpu.*with litert 2.3.0"),
]


@pytest.mark.parametrize(("library", "kind", "words"), FAULTS)
def test_each_cause_has_one_message(
    coral: Callable[..., Target], host: LocalHost, library: Library | str, kind: type[EdgevalError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        try_delegate(host, coral(library), LITERT)


def test_what_loads_says_its_version(coral: Callable[..., Target], host: LocalHost) -> None:
    known = try_delegate(host, coral(), LITERT)
    assert known["delegate_version"].endswith("RuntimeVersion(14)")


def test_a_delegate_of_another_kind_may_give_no_reason(coral: Callable[..., Target], host: LocalHost) -> None:
    with pytest.raises(RuntimeMissing, match=r"does not start and gives no reason .seen: Failed to load delegate from"):
        try_delegate(host, coral(Library("silent", without="NO_EDGETPU"), kind="cpu"), LITERT)


def test_options_of_the_card_reach_the_library(coral: Callable[..., Target], host: LocalHost) -> None:
    assert try_delegate(host, coral(delegate={"options": {"device": "usb"}}), LITERT)["devices"]
    with pytest.raises(UnreachableError, match="does not start"):
        try_delegate(host, coral(delegate={"options": {"devise": "usb"}}), LITERT)


def test_a_library_for_another_processor_is_told(coral: Callable[..., Target], host: LocalHost, tmp_path: Path) -> None:
    foreign = Library().build(tmp_path)
    data = bytearray(foreign.read_bytes())
    data[18:20] = (243).to_bytes(2, "little")
    foreign.write_bytes(data)
    with pytest.raises(RuntimeMissing, match=r"built for another processor .seen: .* is for riscv, this Python for"):
        try_delegate(host, coral(str(foreign)), LITERT)


def test_a_file_that_is_no_library_is_told(coral: Callable[..., Target], host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_text("no library")
    with pytest.raises(RuntimeMissing, match=r"cannot be loaded .*ldd"):
        try_delegate(host, coral(str(tmp_path / "lib.so")), LITERT)


def test_the_crashing_pair_runs_where_it_is_asked_for(coral: Callable[..., Target], host: LocalHost) -> None:
    target = coral(Library(version=GOOGLES), delegate={"known_crash": True})
    assert try_delegate(host, target, LITERT)["devices"]


def test_a_crash_with_a_model_names_both_versions(
    coral: Callable[..., Target], model: Path, answer: Callable[..., Answer]
) -> None:
    target = coral(Library("crash-at-model"))
    with pytest.raises(BenchError, match=r"signal 11 .*seen: libedgetpu 16.0 with litert \S+, Python .*made for this"):
        answer(model, make_samples(), target=target, accelerator={"name": "libedgetpu 16.0"})


@pytest.mark.parametrize(
    ("python", "runtime", "version"), [("3.7", "2.7.0", GOOGLES), ("3.7", "2.11.0", GOOGLES), ("3.11", "2.14.0", YOUNG)]
)
def test_old_runtimes_load_the_delegate_too(
    coral: Callable[..., Target], model: Path, python: str, runtime: str, version: str
) -> None:
    samples, kept = make_samples(6), Memory()
    target = coral(Library(version=version), engine="tflite-runtime")
    job = Job(model, samples, Preprocess(scale=1.0), target, latency=False)
    with LocalHost(python=environment(python, f"tflite-runtime=={runtime}", "numpy<2")) as host:
        said = infer(host, job, kept, progress=lambda done, total: None).hello
    assert (said["version"], said["delegated"], said["unproven"]) == (runtime, 1, [])
    np.testing.assert_array_equal(kept.all(), samples.images.reshape(6, -1)[:, :3].astype(int) - 128)
