"""Run one model file over the samples on a target and keep its predictions; identical work is never done twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.errors import BenchError, IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.kerasfile import model_bytes, model_sha256
from edgeval.records.predictions import Predictions, Source, from_outputs, looks_like_probabilities
from edgeval.records.reporter import Progress, Reporter
from edgeval.run.infer import RunResult, dequantise, infer
from edgeval.run.job import Job
from edgeval.run.micro import ENGINE, check_arena, check_file, check_flash, fidelity_of, is_micro
from edgeval.run.probe import pick_engine
from edgeval.store import Chunks, Store, file_safe, key
from edgeval.tasks.samples import Samples
from edgeval.workflow.accelerator import CPU_FALLBACK
from edgeval.workflow.artifact import Model, model_identity, ready
from edgeval.workflow.bench import Answered, Bench
from edgeval.workflow.canary import canary
from edgeval.workflow.compiled import compiled_for
from edgeval.workflow.described import with_doubts
from edgeval.workflow.finished import finished_elsewhere
from edgeval.workflow.leakage import leak_note, leaked

NO_16X8 = "XNNPACK has no 16x8 kernels: the runtime's built-in ones ran the int16 operators, and the latency is theirs"


def run_model(
    model: Model, samples: Samples, bench: Bench, store: Store, reporter: Reporter
) -> tuple[Predictions, Path]:
    """The model's predictions on that bench and where they lie; from the results folder if they are there already."""
    model = ready(fitted(model, bench, store, reporter), samples)
    sha256 = model_identity(model.path)
    name = work_name(model, sha256, bench, samples.sha256, samples.class_names)
    table = store.table(name)
    if not table.exists():
        with finished_elsewhere(table):
            outputs, result = answers(model, samples, bench, store, reporter, name)
            made = table_of(model, samples, outputs, result, sha256)
            store.write_table(table, made.with_source(**ran_on(bench, result), **marks(model, bench, made.source)))
            store.chunks(name).clear()
    found = store.read_table(table)
    if found.source.sha256 != sha256 or len(found) != len(samples):
        raise IntegrityError(f"{table} does not belong to this model and data", hint="remove it and run again")
    found = counted(model, samples, found, bench, (store, table, reporter))
    accepted(model, bench, found.source)
    _tell(model, found, reporter)
    record(model, samples, found, bench)
    return found.with_source(**marks(model, bench, found.source), **leaks(model, samples, found.source)), table


def fitted(model: Model, bench: Bench, store: Store, reporter: Reporter) -> Model:
    """The model as the bench's device runs it: compiled, where that is an Edge TPU."""
    target = bench.target
    if target.kind != "edgetpu" or target.runtime.delegate is None or bench.recording is not None:
        return model
    path, card = compiled_for(target, model.path, store, reporter)
    return replace(model, path=path, compiled=card, source=None if path == model.path else model.path)


def counted(
    model: Model, samples: Samples, found: Predictions, bench: Bench, kept: tuple[Store, Path, Reporter]
) -> Predictions:
    """The table with its instruction count, which is kept too; as it is where none is asked for or it is there."""
    store, table, reporter = kept
    if bench.counter is None or found.source.instructions is not None:
        return found
    more = found.with_source(instructions=bench.counter(job_of(model, samples, bench), bench.facts, reporter))
    store.write_table(table, more)
    return more


def record(model: Model, samples: Samples, found: Predictions, bench: Bench) -> None:
    """Hand the answers to the bench's recorder, where there is one."""
    if bench.recorder is not None and found.outputs is not None:
        made_from = model_sha256(model.source) if model.source else None
        answered = Answered(model.preprocess, model.reading, samples, found.outputs, found.source, made_from)
        bench.recorder.take(answered)


def preflight(path: Path, bench: Bench) -> None:
    """Raise RuntimeMissing or ModelError for what can be told before anything has run, here or on the desktop."""
    pick_engine(bench.facts, bench.target, path)
    check_file(path, bench.target)


def accepted(model: Model, bench: Bench, found: Source) -> None:
    """Raise ModelError where the card's limits, which may have changed since the run, forbid the model."""
    check_flash(model_bytes(model.path), model.path.name, bench.target)
    check_arena(found.arena, model.path.name, bench.target)


def _tell(model: Model, found: Predictions, reporter: Reporter) -> None:
    """Say what was told from the model and its answers rather than declared."""
    if not model.reading.declared and found.source.preprocess not in (None, model.preprocess):
        reporter.say(f"{model.name}: its uint8 input takes the pixels as they are (--scale says otherwise)")
    if model.outputs == "auto":
        reporter.say(f"{model.name}: its outputs look like {found.kind} (--outputs says otherwise)")


def leaks(model: Model, samples: Samples, source: Source) -> dict[str, Any]:
    """How many of the samples calibrated the model, where that is known."""
    if model.calibration is None:
        return {"leaked": None}
    count = len(leaked(model.calibration, samples))
    return {"leaked": count, "notes": (*source.notes, *leak_note(count, model.name))}


def work_name(model: Model, sha256: str, bench: Bench, *data: Any) -> str:
    """A name for this model on this data on this bench, by everything that its answers depend on."""
    engine, version = pick_engine(bench.facts, bench.target, model.path)
    runtime = bench.target.runtime
    how = (engine, version, runtime.kernels, runtime.threads, str(model.preprocess), model.outputs, bench.origin)
    identity = key(sha256, *data, how, _machine(bench), str(model.reading))
    return f"{file_safe(f'{model.name}-{model.format}')}-{identity[:12]}"


def answers(
    model: Model, samples: Samples, bench: Bench, store: Store, reporter: Reporter, name: str
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], RunResult]:
    """(N, outputs) real numbers for all samples, resumed where chunks called `name` are there; and how it ran."""
    store.open()
    chunks = store.chunks(name)
    bar = reporter.bar(f"run {model.name} {model.format} on {bench.name}")
    result = inferred(job_of(model, samples, bench), bench, chunks, store, reporter, bar)
    return dequantise(chunks.join(len(samples)), result.hello), result


def job_of(model: Model, samples: Samples, bench: Bench) -> Job:
    """This model on these samples as the bench runs it."""
    return Job(
        model.path,
        samples,
        model.preprocess,
        bench.target,
        latency=bench.origin != "emulated",  # an emulator's timings say nothing
        reading=model.reading,
        accelerator=for_delegate(model, bench),
        source=model.source,
    )


def inferred(job: Job, bench: Bench, chunks: Chunks, store: Store, reporter: Reporter, bar: Progress) -> RunResult:
    """The answers that `chunks` lacks, from the bench or from the boards that share its images; the canary first."""
    if bench.crew is None:
        sung = canary(job, bench, store, reporter)
        result = infer(bench.host, job, chunks, progress=bar, facts=bench.facts, say=reporter.say)
    else:
        sung = {}
        for one in tuple(bench.crew.benches):
            try:
                sung = canary(job, one, store, reporter)
            except BenchError as error:
                bench.crew.drop(one, error)
        result = bench.crew.infer(job, chunks, bar)
    return replace(result, hello=result.hello | sung)


def ran_on(bench: Bench, result: RunResult) -> dict[str, Any]:
    """The host's facts with what was watched during the run, and who had which share of the images."""
    more = {"monitor": result.health, "shares": result.shared}
    return {"host": bench.facts | {name: found for name, found in more.items() if found}}


def for_delegate(model: Model, bench: Bench) -> dict[str, Any]:
    """What the agent must know of the compiled file and of the library that runs it."""
    known = {} if bench.accelerator is None else bench.accelerator.known
    told = {"name": known["delegate_name"]} if "delegate_name" in known else {}
    return told | ({"min_runtime": model.compiled.said.min_runtime} if model.compiled else {})


def _machine(bench: Bench) -> list[Any]:
    """What of the machine may change answers; a recording is a machine of its own."""
    known = [bench.facts.get("machine"), bench.facts.get("cpu_features"), bench.target.runtime.engine]
    if bench.target.transport.type != "local":
        # Arm cores with the same features have kernels of their own, and each board answers for itself
        known += [bench.facts.get("cpu"), bench.target.name]
    known += [] if bench.accelerator is None else bench.accelerator.identity
    return known if bench.recording is None else [*known, bench.recording.sha256]


def table_of(
    model: Model, samples: Samples, outputs: np.ndarray[Any, np.dtype[np.float32]], result: RunResult, sha256: str
) -> Predictions:
    """The table of a finished run."""
    kind = model.outputs if model.outputs != "auto" else "probs" if looks_like_probabilities(outputs) else "logits"
    source = source_of(model, samples.sha256, result, sha256)
    return from_outputs(
        outputs, samples.labels, kind=kind, class_names=samples.class_names, ids=samples.ids, source=source
    )


def source_of(model: Model, data_sha256: str, result: RunResult, sha256: str) -> Source:
    """Where the answers of a finished run come from."""
    return Source(
        name=model.name,
        format=model.format,
        origin="desktop",
        sha256=sha256,
        params=model.params,
        size_bytes=model_bytes(model.path),
        runtime=result.hello | ({"compiled": model.compiled.in_words()} if model.compiled else {}),
        data_sha256=data_sha256,
        preprocess=Preprocess.model_validate(result.hello["input"].get("preprocess", model.preprocess)),
        latency=result.latency,
        instructions=result.instructions,
        peak_memory_mb=result.peak_memory_mb,
        arena=result.arena,
        notes=(
            *(f"latencies are not to be trusted: {said}" for said in result.health.get("failed", ())),
            *kernel_notes(model.format, result.hello),
        ),
    )


def kernel_notes(fmt: str, hello: dict[str, Any]) -> tuple[str, ...]:
    """What a reader must know of kernels that a format does not have."""
    if fmt != "tflite-16x8" or hello.get("engine") == ENGINE:
        return ()
    left = hello.get("delegated")
    took = f"; it took {left} float parts of this file" if left and hello.get("delegate") == "xnnpack" else ""
    return (f"{NO_16X8}{took}",)


def marks(model: Model, bench: Bench, found: Source) -> dict[str, Any]:
    """What a kept table gets from the bench that asks for it; emulated figures carry no timings."""
    emulated = bench.origin == "emulated"
    runtime = with_doubts(found.runtime or {}, bench.facts)
    runtime = bench.accelerator.runtime(runtime) if bench.accelerator else runtime
    on_cpu = runtime.get("requested_delegate") is not None and runtime.get("delegated") == 0
    return {
        "name": model.name,
        "format": model.format,
        "params": model.params,
        "target": CPU_FALLBACK if on_cpu else bench.name,
        "runtime": runtime or None,
        "origin": bench.origin,
        "fidelity": fidelity_of(model.path, bench.fidelity) if is_micro(bench.target) else bench.fidelity,
        "recording": bench.recording,
        "latency": None if emulated else found.latency,
        "peak_memory_mb": None if emulated else found.peak_memory_mb,
    }
