"""Laws from files of points and from a ladder's tables, and the points that are refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.errors import DataError
from edgeval.report.laws import render_laws
from edgeval.workflow.points import read_points
from edgeval.workflow.scaling import scaling_of_points
from tests.conftest import Typed

ROOT = Path(__file__).parents[2]
GOOD = "params,error,seed\n1000,0.5,0\n1000,0.52,1\n4000,0.4,0\n4000,0.41,1\n16000,0.33,0\n16000,0.32,1\n"
BAD = {
    "no header": ("1000,0.5\n2000,0.4\n", "no columns params and error"),
    "empty": ("", "no columns params and error"),
    "two sizes": ("params,error\n1,0.5\n2,0.4\n", "too few sizes"),
    "no number": ("params,error\n1,0.5\n2,abc\n3,0.2\n", "line 3: error must be a number"),
    "nan": ("params,error\n1,0.5\n2,nan\n3,0.2\n", "line 3: error must be a number"),
    "infinite": ("params,error\n1,0.5\ninf,0.1\n3,0.2\n", "line 3: params must be a number"),
    "error 0": ("params,error\n1,0.5\n2,0\n3,0.2\n", "errors above 0"),
    "half a parameter": ("params,error\n1.5,0.5\n2,0.4\n3,0.2\n", "whole number"),
    "column twice": ("params,error,params\n1,0.5,1\n2,0.4,1\n3,0.2,1\n", "has a column twice"),
    "too long a cell": ("params,error\n" + "1" * 200_000 + ",0.5\n", "is no table"),
    "beyond all networks": ("params,error\n1e30,0.5\n2,0.4\n3,0.2\n", "at most 1000000000000000"),
    "negative": ("params,error\n-4,0.5\n2,0.4\n3,0.2\n", "whole number"),
    "seed twice": (GOOD + "16000,0.3,1\n", "has that seed already"),
    "short line": ("params,error\n1,0.5\n2\n3,0.2\n", "line 3: error must be a number (seen: nothing)"),
}


def written(folder: Path, text: str) -> Path:
    path = folder / "points.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_points_that_give_no_law_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        scaling_of_points(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "p.csv", tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_points(path)


def test_seeds_are_averaged_and_have_an_interval_of_their_own(tmp_path: Path) -> None:
    found = scaling_of_points(written(tmp_path, "\ufeff" + GOOD.replace("params,", " params ,")))
    assert [point.error for point in found.points] == pytest.approx([0.51, 0.405, 0.325])
    assert [point.seeds for point in found.points] == [2, 2, 2]
    assert found.alpha.over_seeds is not None
    assert found.alpha.ci95 != found.alpha.over_seeds.ci95
    assert len(found.local) == 2


def test_json_has_the_documented_keys(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    code, out, _ = type_there(f"scaling --points {written(tmp_path, GOOD)} --json -")
    found = json.loads(out)
    assert code == 0
    assert {"value", "se", "ci95"} <= set(found["alpha"])
    assert {"c", "r2", "n_points", "local", "models", "schema"} <= set(found)
    assert set(found["local"][0]) == {"params_from", "params_to", "alpha"}
    assert found["models"][0].keys() >= {"name", "aicc"}


def test_a_ladder_has_a_law_as_trained_and_as_deployed(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there("scaling scalecnn-digits100 --json -")
    found = json.loads(out)
    assert code == 0, err
    assert [point["name"] for point in found["points"]] == ["c4", "c8", "c12"]
    (deployed,) = found["deployed"]
    assert "tflite-int8 on desktop" in deployed["name"]
    assert found["alpha"]["value"] > 0 < deployed["alpha"]["value"]


def test_too_few_rungs_are_told_before_anything_runs(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there("scaling scalecnn-digits100 --rung c4 --rung c8")
    assert (code, out) == (2, "")
    assert "at least 3 exported rungs (seen: c4, c8); leave --rung away" in err


def test_only_the_desktop_is_run_on_a_cluster(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    code, out, err = type_there("scaling scalecnn-digits100 --cluster local --target rpi4")
    assert (code, out) == (2, "")
    assert "only the target desktop runs on a cluster" in err
    code, _, err = type_there(f"scaling --points {written(tmp_path, GOOD)} --cluster local")
    assert (code, "--points stands alone" in err) == (2, True)


def test_wrong_use_is_said(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    code, _, err = type_there(f"scaling scalecnn-digits100 --points {written(tmp_path, GOOD)}")
    assert (code, "--points stands alone" in err) == (2, True)


def test_the_page_and_the_picture_are_written(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    code, out, err = type_there(f"scaling scalecnn-digits100 -q --figure {tmp_path / 'laws.svg'}")
    assert code == 0, err
    page = Path("runs/reports/desktop/scaling-scalecnn-digits100.html")
    assert out.endswith(f"Report: {page}\nFigure: {tmp_path / 'laws.svg'}\n")
    assert "edgeval scaling scalecnn-digits100 --target desktop --keep bottom5=5pt" in page.read_text(encoding="utf-8")
    assert (tmp_path / "laws.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_points_have_a_picture(type_there: Callable[[str], Typed], tmp_path: Path, suffix: str) -> None:
    code, out, err = type_there(f"scaling --points {written(tmp_path, GOOD)} --figure {tmp_path}/laws.{suffix}")
    assert code == 0, err
    assert f"Figure: {tmp_path}/laws.{suffix}" in out
    assert "<svg" in (tmp_path / f"laws.{suffix}").read_text(encoding="utf-8")


def test_a_picture_of_another_kind_is_refused_first(type_there: Callable[[str], Typed], tmp_path: Path) -> None:
    code, out, err = type_there(f"scaling --points {written(tmp_path, GOOD)} --figure laws.png")
    assert (code, out, "--figure writes .svg or .html" in err) == (2, "", True)


def test_without_the_extra_there_is_a_line_instead_of_a_page(
    type_there: Callable[[str], Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = type_there("scaling scalecnn-digits100 -q")
    assert code == 0, err
    assert "No page: the HTML report needs the extra `report`" in out.splitlines()[-1]


def test_each_target_has_its_law_and_its_page(type_there: Callable[[str], Typed]) -> None:
    card = (ROOT / "devices" / "desktop.toml").read_text(encoding="utf-8")
    Path("devices").mkdir(exist_ok=True)
    Path("devices/second.toml").write_text(card.replace('name = "desktop"', 'name = "second"'), encoding="utf-8")
    code, out, err = type_there("scaling scalecnn-digits100 --target desktop,second -q --json -")
    found = json.loads(out)
    assert code == 0, err
    assert [one["target"] for one in found["deployed"]] == ["desktop", "second"]
    assert all([row["name"] for row in one["rows"]] == ["c4", "c8", "c12"] for one in found["deployed"])
    assert all(one["alpha_change"]["ci95"][0] < one["alpha_change"]["value"] for one in found["deployed"])
    assert Path("runs/reports/second/scaling-scalecnn-digits100.html").is_file()


def test_an_error_that_rises_is_said_to_rise(tmp_path: Path) -> None:
    shown = render_laws(scaling_of_points(written(tmp_path, "params,error\n1000,0.3\n2000,0.4\n4000,0.5\n")))
    assert "error RISES as N^0.36" in shown
    assert "--" not in shown
