"""What a Keras file or SavedModel folder holds, told without running any of it."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from edgeval.errors import IntegrityError, ModelError, RuntimeMissing

KerasForm = Literal["keras", "h5", "savedmodel"]
LIMIT = 8 * 2**30
RATIO = 200  # weights hardly shrink; what unpacks to far more was made to
CODE = {"Lambda", "__lambda__"}
# Operators that run Python, or read and write files, whenever the graph runs.
ACTIVE_OPERATORS = ("PyFunc", "EagerPyFunc", "PyFuncStateless", "WriteFile", "ReadFile", "PrintV2", "LoadDataset")
MAGIC = b"\x89HDF\r\n\x1a\n"
SAVE_AGAIN = "save it again with model.save('model.keras')"


def keras_form(path: Path) -> KerasForm | None:
    """Which kind of Keras model stands at this path, by its name; None for anything else."""
    suffix = path.suffix.lower()
    if suffix == ".keras":
        return "keras"
    if suffix in (".h5", ".hdf5"):
        return "h5"
    return "savedmodel" if path.is_dir() and (path / "saved_model.pb").is_file() else None


def check_keras(path: Path) -> KerasForm:
    """The form of the model. Raises ModelError for what cannot be one, IntegrityError for what would run its code."""
    form = keras_form(path)
    if form is None:
        raise ModelError("this is no Keras file and no SavedModel folder", seen=path, hint="give .keras, .h5, or one")
    if form == "savedmodel":
        _check_saved_model(path)
        return form
    if not path.is_file():
        raise ModelError("there is no such model file", seen=path, hint="check the path")
    if path.stat().st_size == 0:
        raise ModelError("the model file is empty (0 bytes)", seen=path, hint="save it again")
    config = _zip_config(path) if form == "keras" else _h5_config(path)
    found = next((name for name in _names(config) if name in CODE), None)
    if found:
        hint = "edgeval loads in safe mode and unpickles nothing: replace it by a layer, or export to ONNX or TFLite"
        what = f"{path.name} holds Python code in a {found} layer, which is not run"
        raise IntegrityError(what, seen=path, hint=hint)
    return form


def model_sha256(path: Path) -> str:
    """One hash of a model: of the file, or of the names and bytes of all files of a folder."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for part in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{part.relative_to(path).as_posix()}\0{model_sha256(part)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def model_bytes(path: Path) -> int:
    """Size of a file, or of all files of a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def _check_saved_model(folder: Path) -> None:
    """Raise IntegrityError for a graph that reaches outside itself."""
    graph = (folder / "saved_model.pb").read_bytes()
    if not graph:
        raise ModelError("the model file is empty (0 bytes)", seen=folder / "saved_model.pb", hint="save it again")
    for name in ACTIVE_OPERATORS:
        # NodeDef.op is field 2: its tag, the length, the name
        if b"\x12" + bytes([len(name)]) + name.encode() in graph:
            hint = "a model has no business there; export it to ONNX or TFLite without that operator"
            what = f"{folder.name} holds an operator that reaches outside the model"
            raise IntegrityError(what, seen=name, hint=hint)


def _zip_config(path: Path) -> Any:
    """config.json of a .keras file, which is a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > LIMIT or unpacked > max(RATIO * path.stat().st_size, 2**26):
                raise ModelError(f"{path} unpacks to far more than it holds", seen=f"{unpacked} bytes", hint=SAVE_AGAIN)
            return json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise ModelError(f"{path} is not a whole .keras file", seen=error, hint=SAVE_AGAIN) from error


def _h5_config(path: Path) -> Any:
    """The architecture in an .h5 file; needs h5py, which comes with TensorFlow."""
    if not path.read_bytes()[: len(MAGIC)] == MAGIC:
        raise ModelError(f"{path} is not an HDF5 file", seen=path.name, hint=SAVE_AGAIN)
    try:
        import h5py
    except ImportError as error:
        hint = "pip install 'edgeval-toolkit[tensorflow]'"
        raise RuntimeMissing("h5py is not installed", seen=path.name, hint=hint) from error
    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except (OSError, KeyError, RuntimeError) as error:
        raise ModelError(f"{path} is not a whole HDF5 file", seen=error, hint=SAVE_AGAIN) from error
    if text is None:
        raise ModelError(f"{path} holds weights without an architecture", seen="no model_config", hint=SAVE_AGAIN)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ModelError(f"{path}: the architecture is not JSON", seen=error, hint=SAVE_AGAIN) from error


def _names(config: Any) -> Iterator[str]:
    """Every class name in a configuration, at any depth."""
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield str(part.get("class_name"))
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
