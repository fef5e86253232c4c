"""Cards: found in order, read strictly, refused in one line with the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import CardError
from edgeval.records.artifact import Preprocess
from edgeval.records.cards import available
from edgeval.records.ladder import load_ladder
from edgeval.records.target import load_target

LADDER = """schema = "edgeval/ladder/1"
name = "mine"
[task]
name = "digits100"
[net]
name = "scalecnn"
widths = [4, 8]
"""
DEVICE = 'schema = "edgeval/device/1"\nname = "board"\n'
BAD_LADDERS = [
    (LADDER.replace("widths", "width"), "unknown key 'net.width'; did you mean widths"),
    (LADDER + "[train]\nepoch = 3\n", "unknown key 'train.epoch'; did you mean epochs"),
    (LADDER + "[trian]\n", "unknown key 'trian'; did you mean train"),
    (LADDER.replace("[4, 8]", "[8, 4]"), "net.widths must rise from small to large, each once (seen: 8, 4)"),
    (LADDER.replace("[4, 8]", "[4, 4]"), "net.widths must rise"),
    (LADDER.replace("[4, 8]", "[]"), "net.widths must be a list of at least 1 value (seen: [])"),
    (LADDER.replace("[4, 8]", "8"), "net.widths must be a list, such as [8] (seen: 8)"),
    (LADDER.replace("[4, 8]", "[4, 'x']"), "value 2 of net.widths must be a number (seen: 'x')"),
    (LADDER + "[train]\nseeds = [0, 0]\n", "train.seeds must hold each value once (seen: [0, 0])"),
    (LADDER + "[train]\naugment = ['crop', 'flap']\n", "value 2 of train.augment must be 'crop', 'flip' or 'cutout'"),
    (LADDER + "[export]\nformats = []\n", "export.formats must be a list of at least 1"),
    (LADDER.replace("[4, 8]", "[0.1, 0.11]").replace("scalecnn", "mobilenetv2"), "0.1 and 0.11 round to the same"),
    (LADDER.replace("[4, 8]", "[0, 8]"), "value 1 of net.widths must be greater than 0 (seen: 0)"),
    (LADDER.replace("[4, 8]", "[4.5, 8]"), "net.widths of scalecnn must be whole numbers (seen: 4.5, 8)"),
    (LADDER.replace('"scalecnn"', '"scalecn"'), "or 'vit' (seen: 'scalecn'); did you mean scalecnn"),
    (LADDER.replace('name = "scalecnn"\n', ""), "give either name or factory (seen: neither)"),
    (LADDER.replace('name = "scalecnn"', 'factory = "os.system"'), "net.factory"),
    (LADDER.replace('name = "digits100"', 'train = "x"'), "both train and test, or magnets (seen: train = 'x')"),
    (LADDER.replace("ladder/1", "ladder/9"), "schema"),
    (LADDER.replace('name = "mine"\n', ""), "'name' is missing"),
    (LADDER + "[train]\nepochs = 0\n", "train.epochs"),
    (LADDER + "[train]\nlr = nan\n", "train.lr"),
    (LADDER + "[train]\nprotocol = ''\n", "train.protocol must be a text that is not empty"),
    (LADDER.replace('"digits100"', '"digits100"\nmean = []'), "mean of digits100 is"),
    ("this is not TOML", "not valid TOML"),
    ("", "'schema' is missing"),
]
BAD_DEVICES = [
    (DEVICE + "[transport]\nhots = 'a'\n", "did you mean host"),
    (DEVICE + "[transport]\nport = 99999\n", "transport.port"),
    (DEVICE + "[transport]\nhost = 'pi'\n", 'host does nothing with type = "local", which takes python'),
    (DEVICE + "[transport]\nworkdir = '/tmp/x'\n", "workdir does nothing"),
    (DEVICE + "[transport]\ntype = 'emulated'\nport = 22\n", "port does nothing"),
    (DEVICE + "[transport]\ntype = 'ssh'\nhost = 'pi'\nrecording = 'a.npz'\n", "recording does nothing"),
    (DEVICE + "[transport]\ntype = 'replay'\npython = 'python3'\n", "takes recording, sha256"),
    (DEVICE + "[model]\nbatch = 4\n", "model.batch must be 1 (seen: 4)"),
    (
        DEVICE + "[model]\nper_channel_dense = 'maybe'\n",
        "per_channel_dense must be true or false",
    ),
    (DEVICE + "[limits]\nmemory_mb = -1\n", "limits.memory_mb must be greater than 0 (seen: -1)"),
    (DEVICE + "runtime = 3\n", "runtime must be a table (seen: 3)"),
    (DEVICE + "[compare]\nkernel_floor = ['auto', 'auto']\n", "two kernel families"),
    (DEVICE + "[runtime]\nkernels = 'fast'\n", "runtime.kernels"),
    (DEVICE + "kind = 'toaster'\n", "kind"),
    (DEVICE + "[emulate]\ncard = 'desktop'\n", "emulate.fidelity"),
    (
        DEVICE.replace("board", "../board"),
        "digits, - . _ only (seen: '../board')",
    ),
    (DEVICE + "tags = ['a b']\n", "value 1 of tags must be a letter or digit"),
    (DEVICE + "[transport]\nsha256 = 'x'\n", "transport.sha256 must be 64 hexadecimal digits"),
    (DEVICE + "[machine]\ncpu = 'Cortex A72'\n", "machine.cpu must be a processor as qemu names it"),
    (DEVICE + "[monitor]\nfail_on = ['hot']\n", "value 1 of monitor.fail_on must be throttled"),
    (DEVICE + "[compile]\ntool = 'x'\nwhere = 'moon'\n", "compile.where must be local"),
]


def card(folder: Path, text: str) -> str:
    path = folder / "card.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("note", "said"), [("", "approximate"), ("note = 'old'\n", "approximate: old")])
def test_how_faithful_an_emulated_board_is(tmp_path: Path, note: str, said: str) -> None:
    transport = "[transport]\ntype = 'emulated'\n"
    board = load_target(card(tmp_path, f"{DEVICE}{transport}[machine]\ncpu = 'cortex-a72'\n{note}"))
    assert board.machine is not None
    assert board.machine.faithful == said


@pytest.mark.parametrize(("text", "said"), BAD_LADDERS)
def test_a_bad_ladder_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CardError) as caught:
        load_ladder(card(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Input should" not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), BAD_DEVICES)
def test_a_bad_device_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CardError) as caught:
        load_target(card(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Input should" not in str(caught.value)


@pytest.mark.parametrize("values", [{"std": (0.0,)}, {"std": (-1.0,)}, {"scale": 0.0}])
def test_preprocessing_that_divides_by_nothing_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Preprocess.model_validate(values)


def test_every_shipped_card_reads() -> None:
    ladders, devices = available("models"), available("devices")
    assert {"scalecnn-cifar100", "mobilenetv2-cifar100", "scalecnn-digits100"} <= set(ladders)
    assert {"desktop", "desktop-reference", "rpi4", "rpi5", "coral-usb", "mcu"} <= set(devices)
    assert all(load_ladder(name).name == name for name in ladders)
    assert all(load_target(name).name == name for name in devices)


@pytest.mark.parametrize(("name", "near"), [("rpi6", "rpi"), ("destkop", "desktop"), ("coral", "coral-usb")])
def test_an_unknown_device_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(CardError, match=f"did you mean .*{near}"):
        load_target(name)


def test_a_path_that_is_not_there_says_so() -> None:
    with pytest.raises(CardError, match=r"no device card at this path.*nowhere/x\.toml"):
        load_target("nowhere/x.toml")


def test_a_model_file_in_place_of_a_card_is_told(tmp_path: Path) -> None:
    (tmp_path / "c4.tflite").write_bytes(b"\x1c\x00TFL3\x84")
    with pytest.raises(CardError, match=r"it is not text .*name a \.toml file"):
        load_ladder(str(tmp_path / "c4.tflite"))


def test_the_working_folder_comes_first_and_foreign_toml_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "desktop.toml").write_text(DEVICE.replace("board", "desktop") + 'summary = "ours"\n')
    (tmp_path / "devices" / "other.toml").write_text('[tool]\nname = "other"\n')
    monkeypatch.chdir(tmp_path)
    assert load_target("desktop").summary == "ours"
    assert "other" not in available("devices")


def test_a_factory_must_be_named_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    text = LADDER.replace('name = "scalecnn"', 'factory = "mine:build"')
    (tmp_path / "models" / "mine.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CardError, match=r"named by its path.*models/mine\.toml"):
        load_ladder("mine")
    assert load_ladder("models/mine.toml").net.factory == "mine:build"


@pytest.mark.parametrize("name", ["c8", "8"])
def test_a_rung_is_found_by_name_or_number(name: str) -> None:
    assert load_ladder("scalecnn-cifar100").rung(name).width == 8


@pytest.mark.parametrize("name", ["w0.10", "0.1", "w0.1"])
def test_a_fractional_rung_is_found_by_any_spelling(name: str) -> None:
    assert load_ladder("mobilenetv2-cifar100").rung(name).name == "w0.1"


@pytest.mark.parametrize("name", ["c5", "", "c", "w4x", "-4"])
def test_an_unknown_rung_names_the_choices(name: str) -> None:
    with pytest.raises(CardError, match="choose from c4, c8"):
        load_ladder("scalecnn-cifar100").rung(name)
