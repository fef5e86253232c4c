"""A recording answers as the device did, refuses what it was not asked, and shows when it was changed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError, CardError, EdgevalError, InputError, IntegrityError, UnreachableError
from edgeval.gate.trust import distrust
from edgeval.records.artifact import Preprocess
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Silent
from edgeval.records.target import load_target
from edgeval.run.host import LocalHost
from edgeval.run.job import Reading
from edgeval.run.probe import probe
from edgeval.run.replay import ReplayHost
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import Answered, open_bench, origin_notes
from edgeval.workflow.record import Recorder, as_sent, check_place, recorded
from edgeval.workflow.run import run_model
from tests.run.tiny_models import SIDE, make_samples, write_tflite

SHAPE = (1, SIDE, SIDE, 3)
DESKTOP_CARD = Path(__file__).parents[2] / "devices" / "desktop.toml"


def tiny(path: Path, **changes: Any) -> Model:
    return Model(path, "tiny", "tflite", **{"preprocess": Preprocess(scale=1), "outputs": "logits", **changes})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an int8 and a float model, their recording, its card, and the tables that were recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    with recorded("desktop", folder / "board.npz", emulate=False, command="edgeval run X --record board.npz") as bench:
        assert bench is not None
        for kind in ("int8", "float32"):
            model = tiny(write_tflite(folder / f"{kind}.tflite", SHAPE, dtype=kind))
            run_model(model, make_samples(40), bench, Store(folder / "first"), Silent())
    return folder


def record(model: Model, samples: Samples, folder: Path) -> None:
    with recorded("desktop", folder / "b.npz", emulate=False, command="") as bench:
        assert bench is not None
        run_model(model, samples, bench, Store(folder / "runs"), Silent())


def replay(place: Path, store: Path, samples: Samples, model: Model | None = None, card: str = "") -> Predictions:
    with open_bench(card or str(place / "board.toml")) as bench:
        return run_model(model or tiny(place / "int8.tflite"), samples, bench, Store(store), Silent())[0]


def first(place: Path, kind: str) -> Predictions:
    """What the device itself answered."""
    with open_bench("desktop") as bench:
        model = tiny(place / f"{kind}.tflite")
        return run_model(model, make_samples(40), bench, Store(place / "first"), Silent())[0]


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_a_replay_gives_the_very_same_answers(place: Path, tmp_path: Path, kind: str) -> None:
    one, two = first(place, kind), replay(place, tmp_path, make_samples(40), tiny(place / f"{kind}.tflite"))
    np.testing.assert_array_equal(one.outputs, two.outputs)
    assert two.source.origin == "replayed"
    assert two.source.latency == one.source.latency
    assert (two.source.host, two.source.runtime) == (one.source.host, one.source.runtime)


def test_a_replayed_number_says_what_was_recorded_and_when(place: Path, tmp_path: Path) -> None:
    made = replay(place, tmp_path, make_samples(40)).source
    assert made.recording is not None
    assert (made.recording.target, made.recording.origin) == ("desktop", "desktop")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", made.recording.when)
    (note,) = origin_notes(made)
    assert "recording of desktop (desktop)" in note
    assert made.recording.sha256[:12] in note


def test_any_part_in_any_order_is_replayed(place: Path, tmp_path: Path) -> None:
    part = make_samples(40).take([31, 4, 4 + 7, 0])
    whole = first(place, "int8")
    assert whole.outputs is not None
    np.testing.assert_array_equal(replay(place, tmp_path, part).outputs, whole.outputs[[31, 4, 11, 0]])


def other_model(place: Path, folder: Path) -> Model:
    return tiny(write_tflite(folder / "other.tflite", (1, SIDE, SIDE, 3), dtype="int8", outputs=1, answers=4))


ASKED: dict[str, tuple[Callable[[Path, Path], Model], int, str]] = {
    "another model": (other_model, 40, r"no answers of this model .*asked [0-9a-f]{12}, recorded tiny tflite"),
    "more images": (lambda place, _: tiny(place / "int8.tflite"), 41, r"no answers of these images .*1 of 41 images"),
    "another scale": (
        lambda place, _: tiny(place / "int8.tflite", preprocess=Preprocess(scale=0.5)),
        40,
        r"asked in this way .*preprocess: asked .*0.5.* recorded .*1.0",
    ),
    "other channels": (
        lambda place, _: tiny(place / "int8.tflite", reading=Reading(channels="bgr")),
        40,
        "channels: asked bgr, recorded rgb",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_was_not_recorded_is_named_with_the_command_that_records_it(
    place: Path, tmp_path: Path, name: str
) -> None:
    make, n, said = ASKED[name]
    with pytest.raises(BenchError, match=said) as caught:
        replay(place, tmp_path, make_samples(n), make(place, tmp_path))
    assert caught.value.exit_code == 4
    assert "edgeval run X --record board.npz" in caught.value.hint


def test_other_kernels_than_recorded_are_refused(place: Path, tmp_path: Path) -> None:
    card = tmp_path / "board.toml"
    (tmp_path / "board.npz").write_bytes((place / "board.npz").read_bytes())
    text = (place / "board.toml").read_text().replace("[runtime]", '[runtime]\nkernels = "reference"')
    card.write_text(text)
    with pytest.raises(BenchError, match="kernels: asked reference, recorded auto"):
        replay(place, tmp_path / "runs", make_samples(40), card=str(card))


def rewritten(place: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The recording after somebody changed it."""
    arrays = dict(np.load(place / "board.npz"))
    change(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def better(arrays: dict[str, Any]) -> None:
    arrays["outputs_0"] = arrays["outputs_0"] + np.int8(1)


def faster(arrays: dict[str, Any]) -> None:
    header = json.loads(str(arrays["header"]))
    header["runs"][0]["latency"]["p95"] = 0.001
    arrays["header"] = np.array(json.dumps(header))


TAMPERED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "answers": (lambda place: rewritten(place, better), "was changed since it was recorded"),
    "latency": (lambda place: rewritten(place, faster), "was changed since it was recorded"),
    "no header": (lambda place: rewritten(place, lambda a: a.pop("header")), "not a whole recording"),
    "half a file": (lambda place: (place / "board.npz").read_bytes()[:2000], "not a whole recording"),
    "no bytes": (lambda _: b"", "not a whole recording"),
    "not JSON": (lambda place: rewritten(place, lambda a: a.update(header=np.array("x"))), "not a whole recording"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_recording_that_was_changed_ends_with_5(place: Path, tmp_path: Path, name: str) -> None:
    make, said = TAMPERED[name]
    (tmp_path / "board.npz").write_bytes(make(place))
    (tmp_path / "board.toml").write_bytes((place / "board.toml").read_bytes())
    with pytest.raises(IntegrityError, match=said) as caught:
        replay(place, tmp_path / "runs", make_samples(40), card=str(tmp_path / "board.toml"))
    assert caught.value.exit_code == 5
    assert str(caught.value).count("seen: ") == 1


def test_a_card_pins_its_recording(place: Path, tmp_path: Path) -> None:
    card = tmp_path / "board.toml"
    card.write_text(re.sub(r'sha256 = "\w{4}', 'sha256 = "0000', (place / "board.toml").read_text()))
    (tmp_path / "board.npz").write_bytes((place / "board.npz").read_bytes())
    with pytest.raises(IntegrityError, match="not the recording that its card names"):
        replay(place, tmp_path / "runs", make_samples(40), card=str(card))


def test_a_missing_recording_is_out_of_reach(place: Path, tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_bytes((place / "board.toml").read_bytes())
    with (
        pytest.raises(UnreachableError, match="--record FILE") as caught,
        open_bench(str(tmp_path / "board.toml")),
    ):
        pass
    assert caught.value.exit_code == 4


def test_a_replay_card_without_a_recording_is_a_card_error(tmp_path: Path) -> None:
    card = tmp_path / "x.toml"
    card.write_text('schema = "edgeval/device/1"\nname = "x"\n[transport]\ntype = "replay"\n')
    with pytest.raises(CardError, match="names its recording"), open_bench(str(card)):
        pass


@pytest.mark.parametrize(("name", "said"), [("x.zip", ".npz file"), ("a b.npz", "name is that of a device")])
def test_places_that_no_recording_can_have(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_place(tmp_path / name)


def test_the_card_of_something_else_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_bytes(DESKTOP_CARD.read_bytes())
    with pytest.raises(InputError, match="card of something else"):
        check_place(tmp_path / "d.npz")


@pytest.mark.parametrize("kind", ["data", "folder", "noise"])
def test_only_a_recording_is_written_over(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "mine.npz"
    if kind == "folder":
        place.mkdir()
    elif kind == "data":
        np.savez(place, x=np.zeros(3), y=np.zeros(3))
    else:
        place.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(InputError, match=r"taken by something that is no recording .*mine\.npz.* choose another"):
        check_place(place)


def test_recording_again_changes_the_pin_and_keeps_the_rest_of_the_card(tmp_path: Path) -> None:
    model = tiny(write_tflite(tmp_path / "m.tflite", SHAPE))
    for n in (8, 9):
        record(model, make_samples(n), tmp_path)
        card = tmp_path / "b.toml"
        card.write_text(card.read_text().replace('summary = "a recording of desktop (desktop)"', 'summary = "mine"'))
    assert load_target(str(card)).summary == "mine"
    assert len(replay(tmp_path, tmp_path / "again", make_samples(9), model, str(card))) == 9


def test_a_recording_is_not_recorded_again(place: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="copy its file"),
        recorded(str(place / "board.toml"), tmp_path / "b.npz", emulate=False, command=""),
    ):
        pass


def test_nothing_is_written_where_something_failed(tmp_path: Path) -> None:
    with pytest.raises(EdgevalError, match="no such model"):
        record(tiny(tmp_path / "none.tflite"), make_samples(), tmp_path)
    assert not list(tmp_path.glob("b.*"))


def test_answers_that_lie_on_no_grid_are_refused() -> None:
    hello = {"output": {"dtype": "int8", "scale": 0.5, "zero_point": 3}}
    steps = np.array([[-128, 0, 127]], np.int8)
    values = ((steps.astype(np.float32)) - 3) * np.float32(0.5)
    np.testing.assert_array_equal(as_sent(values, hello), steps)
    with pytest.raises(IntegrityError, match="not on the grid"):
        as_sent(values + np.float32(0.1), hello)


def test_the_gate_trusts_a_replayed_device_and_no_approximate_stand_in(row_of: Callable[..., Any]) -> None:
    assert distrust(row_of("device", None)) == []
    assert distrust(row_of("emulated", "bit-exact")) == []
    assert "stand-in is approximate" in distrust(row_of("emulated", "approximate: other CPU"))[0]
    assert "nothing is known of" in distrust(row_of(None, None))[0]
    assert "unknown version" in distrust(row_of("device", None, runtime={}))[0]
    asked = {"version": "1", "requested_delegate": "edgetpu", "delegated": False}
    assert "not proven to have run" in distrust(row_of("device", None, runtime=asked))[0]


@pytest.fixture
def row_of(place: Path, tmp_path: Path) -> Callable[..., Any]:
    """A comparison whose candidate was replayed from such a recording."""
    from edgeval.compare.pair import compare

    one = first(place, "float32")
    two = replay(place, tmp_path, make_samples(40))

    def make(origin: str | None, fidelity: str | None, **changes: Any) -> Any:
        made = two.source.recording
        assert made is not None
        mark = made.model_copy(update={"origin": origin}) if origin else None
        return compare(one, two.with_source(recording=mark, fidelity=fidelity, **changes))

    return make


def test_a_replay_is_a_host(place: Path) -> None:
    with open_bench(str(place / "board.toml")) as bench:
        host = bench.host
        assert isinstance(host, ReplayHost)
        assert host.get(host.put(b"data", "a.bin")) == b"data"
        with LocalHost() as local:
            assert probe(host)["cpu_features"] == probe(local)["cpu_features"]
        with pytest.raises(BenchError, match="runs no programs"):
            host.run(["sh", "-c", "true"])


def test_the_written_card_keeps_what_the_device_card_said(place: Path) -> None:
    one, two = load_target("desktop"), load_target(str(place / "board.toml"))
    assert (one.runtime, one.model, one.kind) == (two.runtime, two.model, two.kind)


def test_keras_models_are_not_recorded(place: Path) -> None:
    made = first(place, "int8")
    assert made.outputs is not None
    source = made.source.model_copy(update={"runtime": None})
    with pytest.raises(InputError, match="this computer only"):
        Recorder().take(Answered(Preprocess(), Reading(), make_samples(40), made.outputs, source))
