"""The .pt2 door: good archives load, bad ones are named, and nothing in them runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from edgeval.errors import ModelError
from edgeval.export.convert import export
from edgeval.export.program import load_pt2
from tests.export.small_net import Net, request_for

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
BATCH = ({0: torch.export.Dim("batch")},)


def save(net: torch.nn.Module, path: Path, images: torch.Tensor = IMAGES, shapes: Any = BATCH) -> Path:
    torch.export.save(torch.export.export(net, (images,), dynamic_shapes=shapes), path)
    return path


@pytest.fixture(scope="session")
def archive(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(net, tmp_path_factory.mktemp("pt2") / "net.pt2")


def edit(archive: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of the archive with other records."""
    with zipfile.ZipFile(archive) as source:
        records = {entry.filename: source.read(entry) for entry in source.infolist()}
    change(records)
    with zipfile.ZipFile(path, "w") as target:
        for name, data in records.items():
            target.writestr(name, data)
    return path


def edit_graph(records: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> None:
    name = next(name for name in records if name.endswith("models/model.json"))
    model = json.loads(records[name])
    change(model)
    records[name] = json.dumps(model).encode()


def test_the_program_answers_as_the_network(archive: Path, net: Net) -> None:
    program = load_pt2(archive)
    assert not program.fixed_batch
    assert sum(p.numel() for p in program.parameters()) == sum(p.numel() for p in net.parameters())
    for n in (1, 2):
        torch.testing.assert_close(program.eval()(IMAGES[:n]), net(IMAGES[:n]))


def tiny() -> torch.nn.Module:
    torch.manual_seed(0)
    pooled = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), *pooled, torch.nn.Linear(8, 10)).eval()


def test_a_program_of_one_image_is_exported_with_that_batch(tmp_path: Path) -> None:
    program = load_pt2(save(tiny(), tmp_path / "one.pt2", IMAGES[:1], None))
    _, card = export(request_for(program), "onnx-fp32")
    assert card.input.shape == (1, 3, 16, 16)
    assert card.parity.passed


def test_a_program_is_exported_to_tflite(tmp_path: Path) -> None:
    _, card = export(request_for(load_pt2(save(tiny(), tmp_path / "tiny.pt2"))), "tflite-fp32")
    assert "TRANSPOSE" not in card.operators


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    program = load_pt2(save(tiny(), tmp_path / "tiny.pt2", torch.rand(2, 3, 32, 32)))
    with pytest.raises(ModelError, match=r"another shape .*\(3, 16, 16\), the network takes \(3, 32, 32\)"):
        export(request_for(program), "onnx-fp32")


def test_flat_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"one float32 tensor \(N, C, H, W\)"):
        load_pt2(save(torch.nn.Linear(3, 2).eval(), tmp_path / "flat.pt2", torch.rand(1, 3), None))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(200), None])
def test_files_that_are_no_archive(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.pt2"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"no such file|0 bytes|not a whole .pt2 file"):
        load_pt2(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_archives(archive: Path, tmp_path: Path, share: float) -> None:
    data = archive.read_bytes()
    (tmp_path / "cut.pt2").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match=r"not a whole .pt2 file"):
        load_pt2(tmp_path / "cut.pt2")


def test_a_checkpoint_is_not_a_program(net: Net, tmp_path: Path) -> None:
    torch.save(net.state_dict(), tmp_path / "weights.pt2")
    with pytest.raises(ModelError, match=r"not an archive of torch.export"):
        load_pt2(tmp_path / "weights.pt2")


def test_training_mode_is_named(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    with pytest.raises(ModelError, match=r"training mode .seen: aten.dropout"):
        load_pt2(save(net.train(), tmp_path / "train.pt2"))


def test_a_fixed_batch_is_named(net: Net, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="batches of 2 only"):
        load_pt2(save(net, tmp_path / "two.pt2", IMAGES, None))


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def test_sample_inputs_are_never_unpickled(archive: Path, tmp_path: Path) -> None:
    mark, buffer = tmp_path / "mark", io.BytesIO()
    torch.save((Evil(mark),), buffer)

    def plant(records: dict[str, bytes]) -> None:
        name = next(name for name in records if name.endswith("sample_inputs/model.pt"))
        records[name] = buffer.getvalue()

    load_pt2(edit(archive, tmp_path / "evil.pt2", plant))
    assert not mark.exists()


def test_guards_and_metadata_are_dropped(archive: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def plant(model: dict[str, Any]) -> None:
        model["guards_code"] = [f"__import__('os').mkdir('{mark}')"]
        model["graph_module"]["graph"]["nodes"][0]["metadata"] = {"torch_fn": "x;torch.serialization.os.system"}

    program = load_pt2(edit(archive, tmp_path / "evil.pt2", lambda records: edit_graph(records, plant)))
    program(IMAGES)
    assert not mark.exists()


def rename_input(model: dict[str, Any]) -> None:
    text = json.dumps(model).replace('"x"', '"x=print(1)"')
    model.update(json.loads(text))


def change_symbol(model: dict[str, Any]) -> None:
    model["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0]["as_expr"]["expr_str"] = (
        "__import__('os').getcwd()"
    )


def nest_symbol(model: dict[str, Any]) -> None:
    expression = """Max('__import__("os").getcwd()', 2)"""
    model["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0]["as_expr"]["expr_str"] = expression


def change_target(model: dict[str, Any]) -> None:
    model["graph_module"]["graph"]["nodes"][0]["target"] = "torch.serialization.os.system"


def change_spec(model: dict[str, Any]) -> None:
    spec = [1, {"type": "builtins.dict", "context": '{"__enum__": 1, "fqn": "os:x", "name": "y"}', "children_spec": []}]
    model["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = json.dumps(spec)


@pytest.mark.parametrize("change", [rename_input, change_symbol, nest_symbol, change_target, change_spec])
def test_graphs_that_would_run_code_are_refused(archive: Path, tmp_path: Path, change: Any) -> None:
    path = edit(archive, tmp_path / "evil.pt2", lambda records: edit_graph(records, change))
    with pytest.raises(ModelError, match="what edgeval does not load from files"):
        load_pt2(path)


@pytest.mark.parametrize(
    "name", ["data/aotinductor/model/a.so", "data/weights/model.pt", "data/constants/custom_obj_0"]
)
def test_records_that_carry_code_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    path = edit(archive, tmp_path / "evil.pt2", lambda records: records.update({f"net/{name}": pickle.dumps(1)}))
    with pytest.raises(ModelError, match=f"the record {name}"):
        load_pt2(path)


def test_pickled_tensors_are_refused(archive: Path, tmp_path: Path) -> None:
    def plant(records: dict[str, bytes]) -> None:
        name = next(name for name in records if name.endswith("model_weights_config.json"))
        records[name] = records[name].replace(b'"use_pickle": false', b'"use_pickle": true', 1)

    with pytest.raises(ModelError, match="a pickled tensor"):
        load_pt2(edit(archive, tmp_path / "evil.pt2", plant))
