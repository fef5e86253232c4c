"""External TFLite delegates: loaded, shown to have taken their part of the model, or refused with one clear reason."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Tuple

from . import edgetpu
from .frames import Fault
from .library import architecture, is_foreign, locate, own_architecture

COMPILED = "edgetpu-custom-op"
ENTRY = "tflite_plugin_create_delegate"


def attach(job: Dict[str, Any], module: Any) -> Tuple[List[Any], Dict[str, Any]]:
    """The loaded delegates of a job (one or none), and what is known of the library. Raises Fault."""
    wanted = job.get("delegate")
    if not wanted:
        return [], {}
    library = open_library(wanted["library"])
    known = edgetpu.about(library)
    about: Dict[str, Any] = {"requested_delegate": wanted["library"]}
    if known is not None:
        about.update(delegate_version=known["version"], devices=known["devices"], delegate_name=edgetpu.name(known))
        _check_runtime(wanted, known)
        if not wanted.get("known_crash"):
            edgetpu.check_pair(known, job["engine"], job["version"])
    elif wanted.get("edgetpu"):
        hint = "install libedgetpu1-std, and name it in [runtime.delegate] library"
        raise Fault("delegate", "the library is not the Edge TPU's: it lacks edgetpu_version", wanted["library"], hint)
    return [_load(module, wanted, known)], about


def open_library(name: str) -> Any:
    """The library, opened. Raises Fault, one for each reason why it cannot be."""
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise _unopened(name, str(error)) from error
    if not hasattr(library, ENTRY):
        hint = "give the library of a TFLite delegate in [runtime.delegate]"
        raise Fault("delegate", "the library holds no TFLite delegate: it lacks " + ENTRY, name, hint)
    return library


def try_out(job: Dict[str, Any], module: Any) -> Dict[str, Any]:
    """Load the delegate without a model, and let it go again. Raises Fault."""
    loaded, about = attach(job, module)
    del loaded
    return about


def taken(interpreter: Any, about: Dict[str, Any], wanted: Dict[str, Any]) -> Dict[str, Any]:
    """What the delegate really does with an allocated model; reasons why that is not proven, in `unproven`.

    Raises Fault where it took nothing and the card does not allow the CPU.
    """
    list_ops = getattr(interpreter, "_get_ops_details", None)
    names = None if list_ops is None else [op["op_name"] for op in list_ops()]
    count = None if names is None else sum(1 for name in names if "DELEGATE" in name.upper())
    compiled = names is not None and COMPILED in names
    if count == 0 and wanted.get("on_missing") != "cpu":
        what = "the delegate took no operator: the model would run on the CPU"
        raise Fault("residency", what, wanted["library"], _mend(wanted, compiled))
    reasons = [] if count else ["the delegate took no operator"]
    if names is None:
        reasons = ["the runtime does not tell what the delegate took"]
    if wanted.get("edgetpu"):
        reasons += [] if compiled else ["the model has no {} operator".format(COMPILED)]
        reasons += [] if about.get("devices") else ["the library lists no device"]
    label = "edgetpu" if wanted.get("edgetpu") else wanted["library"]
    return dict(about, delegate=label if count else None, delegated=count, unproven=reasons)


def _mend(wanted: Dict[str, Any], compiled: bool) -> str:
    """What to do when the delegate takes nothing."""
    if wanted.get("edgetpu") and not compiled:
        return "compile it for the Edge TPU, or set on_missing = 'cpu' in [runtime]: labelled cpu fallback"
    return "check that the delegate supports the model; on_missing = 'cpu' in [runtime] runs it labelled cpu fallback"


def _unopened(name: str, said: str) -> Fault:
    """Why the loader refuses a library."""
    path = locate(name)
    if path is None:
        hint = "install it (Edge TPU: libedgetpu1-std), or write its whole path in [runtime.delegate] library"
        return Fault("delegate", "the delegate's library is not found", name, hint)
    if is_foreign(path):
        seen = "{} is for {}, this Python for {}".format(path, architecture(path), own_architecture())
        hint = "install the package for {}".format(own_architecture())
        return Fault("delegate", "the delegate's library is built for another processor", seen, hint)
    hint = "install what it needs (ldd {} shows what is missing)".format(path)
    return Fault("delegate", "the delegate's library cannot be loaded", said, hint)


def _check_runtime(wanted: Dict[str, Any], known: Dict[str, Any]) -> None:
    """Raise Fault where the model was compiled for a younger Edge TPU runtime than the one that is there."""
    number, needed = edgetpu.runtime_number(known["version"]), wanted.get("min_runtime")
    if number and needed and needed > number:
        seen = "it needs {}, installed: {}".format(needed, number)
        hint = 'update libedgetpu, or compile with args = ["-m", "{}"] in [compile]'.format(number)
        raise Fault("delegate", "the model is compiled for a younger Edge TPU runtime", seen, hint)


def _load(module: Any, wanted: Dict[str, Any], known: Any) -> Any:
    """The delegate itself. Raises Fault with the library's own reason, or with what can be found out without one."""
    load = getattr(module, "load_delegate", None)
    if load is None:
        raise Fault("delegate", "this runtime cannot load delegates", module.__name__, "use tflite-runtime or litert")
    try:
        return load(wanted["library"], wanted.get("options") or {})
    except ValueError as error:
        said = " ".join(str(error).partition("\n")[2].split())
        if known is not None and not said:
            raise edgetpu.trouble(known) from error
        what = "the delegate refuses to start" if said else "the delegate does not start and gives no reason"
        seen = said or "Failed to load delegate from {}".format(wanted["library"])
        raise Fault("delegate", what, seen, "check [runtime.delegate] options") from error
    except (OSError, RuntimeError) as error:
        raise Fault("delegate", "the delegate cannot be loaded", str(error)) from error
