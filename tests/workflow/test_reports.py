"""What is kept of a comparison, what people find in the reports folder, and a bundle that somebody else runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.compare.pair import compare
from edgeval.errors import DataError, InputError, IntegrityError
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Predictions, Source, from_outputs
from edgeval.records.verdict import RuleResult, Verdict
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow import kept
from edgeval.workflow.bundle import BundleOptions, write_bundle
from edgeval.workflow.index import index_store
from edgeval.workflow.report import keep

N, NAMES = 300, ("cat", "dog", "猫 <b>")
Pair = tuple[Predictions, Predictions]


def samples() -> Samples:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (N, 6, 5, 3)).astype(np.uint8)
    return Samples(images, np.arange(N) % 3, tuple(f"set/{k:03d}.png" for k in range(N)), NAMES)


def tables(target: str = "rpi4") -> Pair:
    """A reference and a candidate that errs more often, with the images' ids."""
    data, rng = samples(), np.random.default_rng(1)
    made = []
    for name, noise in (("big", 0.7), ("small", 1.6)):
        outputs = rng.normal(0, noise, (N, 3)).astype(np.float32)
        outputs[np.arange(N), data.labels] += 2
        source = Source(name=name, format="onnx", origin="desktop", target=target)
        made.append(from_outputs(outputs, data.labels, kind="logits", class_names=NAMES, ids=data.ids, source=source))
    return made[0], made[1]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return tables()


@pytest.fixture(scope="module")
def row(pair: Pair) -> Comparison:
    rule = RuleResult(metric="top1", margin=0.02, value=-0.2, bound=-0.25, confidence=0.95, status="FAIL")
    verdict = Verdict(status="FAIL", exit_code=1, look=1, reasons=(), rules=(rule,))
    return compare(*pair).model_copy(update={"verdict": verdict})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture(scope="module")
def once(row: Comparison, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with one kept comparison."""
    root = tmp_path_factory.mktemp("once") / "runs"
    keep([row], samples(), Store(root), "big-against-small", tables=[pair])
    return root


@pytest.fixture
def made(once: Path, store: Store) -> Path:
    """The JSON of a kept comparison, to do with as a test likes."""
    shutil.copytree(once, store.root)
    return store.root / "comparisons" / "big-against-small-rpi4.json"


def test_a_page_a_comparison_and_an_index_of_all(made: Path, row: Comparison, pair: Pair, store: Store) -> None:
    other = row.model_copy(update={"target": row.target.model_copy(update={"target": "desktop"}), "verdict": None})
    page = keep([other, other], samples(), store, "two", tables=[pair, pair])
    assert page == store.root / "reports" / "desktop" / "two.html"
    reports = store.root / "reports"
    everything = (reports / "index.html").read_text(encoding="utf-8")
    for link in ("rpi4/big-against-small.html", "desktop/two.html#row-1", "desktop/two.html#row-2"):
        assert f'href="{link}"' in everything
        assert (reports / link.split("#")[0]).is_file()
    mine = (reports / "rpi4" / "index.html").read_text(encoding="utf-8")
    assert 'href="big-against-small.html"' in mine
    assert 'href="../index.html"' in mine
    assert ">fail</span>" in mine
    assert "two.html" not in mine


def test_damaged_comparisons_are_listed_as_unreadable(made: Path, store: Store) -> None:
    whole = made.read_text(encoding="utf-8")
    (made.parent / "half.json").write_text(whole[: len(whole) // 2], encoding="utf-8")
    (made.parent / "empty.json").write_bytes(b"")
    (made.parent / "<i>.json").write_text("[]", encoding="utf-8")
    index_store(store)
    page = (store.root / "reports" / "index.html").read_text(encoding="utf-8")
    assert "big-against-small.html" in page
    listed = page[page.index('id="damaged"') :]
    assert all(name in listed for name in ("half.json", "empty.json", "&lt;i&gt;.json"))
    assert listed.count("<li>") == 3


def test_a_report_folder_for_a_pipeline(row: Comparison, pair: Pair, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "report"
    page = keep([row], samples(), store, "x", report_dir=folder, tables=[pair])
    assert page == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        "junit.xml",
        "report.html",
        "report.json",
        "report.md",
    }
    assert 'href="report.html"' in (folder / "index.html").read_text(encoding="utf-8")
    assert kept.read_comparison(folder / "report.json")[0] == [row]


def test_a_report_folder_that_cannot_be_made_is_an_input_error(row: Comparison, store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="report folder"):
        keep([row], None, store, "x", report_dir=tmp_path / "file")


@pytest.mark.parametrize("name", ["n" * 400, "猫" * 100, "a/../../b", "index", "", ".."])
def test_any_name_can_be_kept(row: Comparison, store: Store, name: str) -> None:
    target = row.target.model_copy(update={"target": "t" * 300})
    page = keep([row.model_copy(update={"target": target})], None, store, name)
    assert page.is_file()
    assert store.root in page.parents
    assert all(len(os.fsencode(path.name)) < 200 for path in store.root.rglob("*"))
    assert "Unreadable" not in (store.root / "reports" / "index.html").read_text(encoding="utf-8")


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    stems = {kept.file_stem("n" * 200 + end) for end in "ab"} | {kept.file_stem(name) for name in ("猫", "犬")}
    assert len(stems) == 4
    assert kept.file_stem("scalecnn-digits100-tflite-int8-desktop") == "scalecnn-digits100-tflite-int8-desktop"


def test_pixels_and_answers_of_flipped_samples_come_back(made: Path, row: Comparison, pair: Pair) -> None:
    rows, pictures = kept.read_comparison(made)
    assert set(pictures) == {flip.id for flip in row.flipped}
    flipped = kept.unpack_flipped(made.with_name(f"{made.stem}.flipped.npz"), rows)
    ids = {*row.flips.lost_ids, *row.flips.gained_ids}
    assert set(flipped.ids) == ids
    data = samples()
    at = [data.ids.index(name) for name in flipped.ids]
    assert flipped.images is not None
    np.testing.assert_array_equal(flipped.images, data.images[at])
    assert flipped.tables[0] is not None
    for table, whole in zip(flipped.tables[0], pair, strict=True):
        assert table.ids == flipped.ids
        np.testing.assert_array_equal(table.outputs, whole.outputs[at])


def test_what_is_kept_is_capped(row: Comparison, pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 7 * 90)
    path = tmp_path / "f.npz"
    path.write_bytes(kept.pack_flipped([row], samples(), [pair]))
    flipped = kept.unpack_flipped(path, [row])
    assert flipped.ids == tuple(flip.id for flip in row.flipped[:7])


def edited(made: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The same comparison after somebody changed its JSON by hand."""
    body = json.loads(made.read_text(encoding="utf-8"))
    change(body)
    made.write_text(json.dumps(body), encoding="utf-8")
    return made


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


STEP = {"name": "size", "from": "a", "to": "b", "top1": 0.5, "ece": None, "lost": 1, "gained": 0, "net": -1}
STEP |= {"jaccard": None, "charged_lost": 0, "charged_gained": 0}


def turn(verdict: dict[str, Any]) -> None:
    """Make every rule pass."""
    verdict.update(status="PASS", exit_code=0)
    for rule in verdict["rules"]:
        rule["status"] = "PASS"


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "negative n": (lambda b: b.update(n=-1), "n is -1"),
    "another n": (lambda b: b.update(n=7), "the flips are"),
    "negative flips": (lambda b: b["flips"].update(lost=-3, both_right=10**6), "the flips are"),
    "more ids than flips": (lambda b: b["flips"].update(lost_ids=["x"] * 9999), "more ids than flips"),
    "a share of 7": (lambda b: b["metrics"]["top1"].update(candidate=7.0), "metric top1 has the share 7"),
    "no top1": (lambda b: b["metrics"].pop("top1"), "no metric top1"),
    "a giant number": (lambda b: b["metrics"]["nll"].update(delta=1e300), "a number beyond"),
    "a giant integer": (lambda b: b["per_class"][0].update(n=10**400), "a number beyond"),
    "a giant list": (lambda b: b.update(notes=["x"] * 20_000), "20000 notes"),
    "a giant text": (lambda b: b.update(command="x" * 300_000), "a text of 300,000 characters"),
    "a class of -4 images": (lambda b: b["per_class"][0].update(n=-4), "class 0 has -4 images"),
    "a bin upside down": (lambda b: b["reliability"]["reference"][0].update(lo=0.9), "a bin that is none"),
    "deep": (lambda b: b["target"].update(host={"x": nested(60)}), "more than 40 levels"),
    "NaN": (lambda b: b.update(smallest_drop=float("nan")), "not a comparison"),
    "another type": (lambda b: b.update(per_class={"a": 1}), "not a comparison"),
    "an unknown key": (lambda b: b.update(surprise=1), "not a comparison"),
    "a rule sure of all": (lambda b: b["verdict"]["rules"][0].update(confidence=1.0), "impossible confidence"),
    "another top1": (lambda b: b["metrics"]["top1"].update(candidate=0.99), "metric top1 is 0.99"),
    "another change": (lambda b: b["metrics"]["ece"].update(delta=0.0), "metric ece is 0"),
    "an interval elsewhere": (lambda b: b["metrics"]["top1"].update(ci95=[0.3, 0.4]), "outside its interval"),
    "an interval upside down": (lambda b: b["metrics"]["ece"].update(ci95=[0.3, -0.3]), "has the interval"),
    "another p": (lambda b: b["mcnemar"].update(p=0.5), "the test of lost = gained is 0.5"),
    "another overlap": (lambda b: b["overlap"].update(jaccard=0.99), "the overlap of errors is 0.99"),
    "other errors": (lambda b: b["overlap"].update(errors_candidate=1), "the errors are"),
    "a better class": (lambda b: b["per_class"][0].update(candidate=0.123), "top1 over the classes"),
    "a class less": (lambda b: b["per_class"].pop(), "the classes have"),
    "fuller bins": (lambda b: b["reliability"]["candidate"][9].update(n=7), "the bins hold"),
    "a step less": (lambda b: b.update(stages=b["stages"][:1] or [STEP]), "the steps sum to"),
    "a verdict turned": (lambda b: b["verdict"].update(status="PASS", exit_code=0), "its rules make it FAIL"),
    "an exit code of its own": (lambda b: b["verdict"].update(exit_code=0), "a FAIL with the exit code 0"),
    "rules turned": (lambda b: turn(b["verdict"]), "passes beyond its limit"),
    "no rows": (lambda b: b.update(rows=[]), "no row"),
    "rows of text": (lambda b: b.update(rows="abc"), "not a comparison"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_comparison_edited_by_hand_is_refused_in_one_line(made: Path, edit: str) -> None:
    change, said = EDITS[edit]
    with pytest.raises(DataError, match=said) as caught:
        kept.read_comparison(edited(made, change))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_edit_that_contradicts_nothing_breaks_the_seal(made: Path) -> None:
    with pytest.raises(IntegrityError, match="was changed since edgeval wrote it"):
        kept.read_comparison(edited(made, lambda b: b.update(command="edgeval compare others")))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, "{}", "[]", "null", '"x"', "\ufeff{}"])
def test_json_that_is_no_comparison_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError):
        kept.read_comparison(tmp_path / "x.json")


def test_an_old_comparison_still_renders(made: Path, tmp_path: Path) -> None:
    def strip(body: dict[str, Any]) -> None:
        for key in (
            "confusions",
            "answer_shares",
            "worst_class",
            "recalibration",
            "verdict",
            "retraining_floor",
            "seal",
        ):
            body.pop(key)

    path = edited(made, strip)
    for suffix in ("html", "md", "xml", "json"):
        assert run(["report", str(path), "-o", str(tmp_path / f"again.{suffix}")]) == 0
        assert (tmp_path / f"again.{suffix}").stat().st_size > 500


def test_annotations_go_to_standard_output(made: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(made), "--annotations"]) == 0
    assert capfd.readouterr().out.startswith("::error title=edgeval%3A small (onnx) on rpi4%3A fail::Top-1 accuracy")


@pytest.mark.parametrize(
    ("words", "said"),
    [("", "say what to write"), ("-o x.pdf", ".html or .md"), ("--with-models -o x.md", "--with-models goes with")],
)
def test_wrong_use_of_report(made: Path, words: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(made), *words.split()]) == 2
    assert said in capfd.readouterr().err


def unpack(bundle: Path, folder: Path) -> str:
    """Unpack a bundle as a stranger would; the one command of its README."""
    with zipfile.ZipFile(bundle) as archive:
        assert all(not name.startswith("/") and ".." not in name for name in archive.namelist())
        archive.extractall(folder)
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line.removeprefix("$ edgeval ") for line in lines if line.startswith("$ edgeval ")]
    return command


def rerun(command: str, folder: Path) -> dict[str, Any]:
    """Run it in that folder in a process of its own."""
    words = [sys.executable, "-m", "edgeval", *command.split(), "-q", "--json", "-"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_somebody_else_runs_the_difference_again(made: Path, row: Comparison, tmp_path: Path) -> None:
    assert write_bundle(made, tmp_path / "b.zip", BundleOptions()) == []
    elsewhere = tmp_path / "else where"
    found = rerun(unpack(tmp_path / "b.zip", elsewhere), elsewhere)
    assert found["flips"]["lost"] == row.flips.lost
    assert set(found["flips"]["gained_ids"]) == set(row.flips.gained_ids)
    assert found["n"] == row.flips.lost + row.flips.gained
    inputs = np.load(elsewhere / "inputs.npz")
    assert inputs["x"].shape == (found["n"], 6, 5, 3)
    facts = json.loads((elsewhere / "environment.json").read_text())
    assert facts["bundled_on"]["numpy"] == np.__version__
    assert set(facts["sha256"]) == {"comparison.json", "reference.npz", "candidate.npz", "inputs.npz"}


def test_a_bundle_is_the_same_every_time(made: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_bundle(made, tmp_path / name, BundleOptions())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_without_kept_tables_the_shown_flips_are_bundled(made: Path, row: Comparison, tmp_path: Path) -> None:
    made.with_name(f"{made.stem}.flipped.npz").unlink()
    notes = write_bundle(made, tmp_path / "b.zip", BundleOptions())
    assert any("no pixels" in note for note in notes)
    found = rerun(unpack(tmp_path / "b.zip", tmp_path / "x"), tmp_path / "x")
    assert found["flips"]["lost"] == sum(flip.kind == "lost" for flip in row.flipped)


def test_a_cap_on_pixels_is_said(made: Path, tmp_path: Path) -> None:
    notes = write_bundle(made, tmp_path / "b.zip", BundleOptions(most_bytes=900))
    assert any(note.startswith("10 of ") and "a cap was reached" in note for note in notes)


def test_model_files_are_found_by_hash_and_run_again(demo: Any, tmp_path: Path) -> None:
    runs, stem = demo.folder / "runs", "scalecnn-digits100-tflite-int8-desktop"
    shutil.copytree(runs / "artifacts", tmp_path / "runs" / "artifacts")
    (tmp_path / "runs" / "comparisons").mkdir()
    one = tmp_path / "runs" / "comparisons" / "one.json"
    body = json.loads((runs / "comparisons" / f"{stem}.json").read_text(encoding="utf-8"))
    one.write_text(json.dumps(body["rows"][0]), encoding="utf-8")
    shutil.copy(runs / "comparisons" / f"{stem}.flipped.npz", one.with_name("one.flipped.npz"))
    notes = write_bundle(one, tmp_path / "b.zip", BundleOptions(with_models=True))
    assert notes == ["the model file of the reference was not found by its SHA-256"]  # torch has none
    command = unpack(tmp_path / "b.zip", tmp_path / "x")
    assert "--candidate models/" in command
    found = rerun(command, tmp_path / "x")
    assert found["flips"]["lost"] == body["rows"][0]["flips"]["lost"]
    assert found["candidate"]["origin"] == "desktop"
