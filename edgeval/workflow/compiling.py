"""Run the card's compiler on a model, here or on a named host, and keep what it makes: no model is compiled twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeval.errors import CardError, MissingError, RuntimeMissing
from edgeval.export import compiler, package
from edgeval.records.compiled import CompiledCard
from edgeval.records.foreign import check_trusted
from edgeval.records.reporter import Reporter
from edgeval.records.target import Compile, Target, Transport, load_target
from edgeval.run.host import Host
from edgeval.run.tool import Compiled, run_tool
from edgeval.store import Store, file_sha256, key
from edgeval.workflow.bench import open_host

SUFFIX = "_edgetpu.tflite"


def made(target: Target, model: Path, data: bytes, store: Store, reporter: Reporter) -> tuple[Path, CompiledCard]:
    """What the card's compiler makes of the model, or made of it before, with its card.

    Raises MissingError or RuntimeMissing, with what to do, where there is no compiler; ModelError for what it refuses.
    """
    how = target.compile
    if how is None or how.where == "prebuilt":
        what = f"{model.name} is not compiled for the Edge TPU, and the card names no compiler"
        raise MissingError(what, seen=model.with_name(model.stem + SUFFIX), hint=_by_hand(model))
    digest = hashlib.sha256(data).hexdigest()
    path = store.root / "compiled" / key(digest, how.tool, how.args, how.version) / f"{model.stem}{SUFFIX}"
    beside = path.with_name(path.name + ".json")
    if path.is_file() and beside.is_file():
        kept = store.read_record(CompiledCard, beside)
        if (kept.source_sha256, kept.sha256) == (digest, file_sha256(path)):
            return path, kept
    reporter.say(f"{model.name}: {how.tool} compiles it ({how.where})")
    done = _compile(how, model, path.name, reporter)
    report = compiler.parse_report(done.text)
    if how.version and report.version and not report.version.startswith(how.version):
        reporter.say(f"{how.tool} is version {report.version}, the card says {how.version}")
    card = package.card_of(path.name, done.data, data, where=how.where, args=how.args, report=report)
    store.open()
    store.write(path, done.data)
    store.write_record(beside, card)
    return path, card


def _compile(how: Compile, model: Path, output: str, reporter: Reporter) -> Compiled:
    """Run the compiler. Raises RuntimeMissing, ModelError."""
    try:
        with _compile_host(how, reporter) as host:
            argv = compiler.argv(how.tool, how.args, model="{model}", folder="{folder}")
            done = run_tool(host, argv, model, output=output, timeout_s=how.timeout_s)
    except RuntimeMissing as error:
        what = f"{how.tool} does not run ({how.where}); it is made for x86-64 Linux"
        hint = f"name the host that has it: where = 'ssh:NAME' in the card's [compile] table; or {_by_hand(model)}"
        raise RuntimeMissing(what, seen=f"{error.what}: {error.seen}", hint=hint) from error
    if done.status or not done.data:
        raise compiler.explain_failure(done.text, model.name, done.status)
    return done


def _by_hand(model: Path) -> str:
    """How a prebuilt file comes where it is found."""
    return f"run {compiler.TOOL} -s {model.name} elsewhere and put {model.stem}{SUFFIX} into {model.parent}"


@contextmanager
def _compile_host(how: Compile, reporter: Reporter) -> Iterator[Host]:
    """Where the compiler runs: here, or on the host that a card or ~/.ssh/config calls NAME."""
    name = how.where.partition(":")[2]
    transport = Transport(type="local")
    if name:
        try:
            other = load_target(name)
        except CardError:
            transport = Transport(type="ssh", host=name)
        else:
            check_trusted(other, typed=False)
            transport = other.transport
    card = {"schema": "edgeval/device/1", "name": name or "local"}
    with open_host(Target.model_validate(card).changed(transport=transport), reporter) as host:
        yield host
