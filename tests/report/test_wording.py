"""Numbers and names read the same in every report."""

import pytest

from edgeval.records.findings import Comparison
from edgeval.report import wording


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.count(12345), "12,345"),
        (wording.signed_count(-1234), "−1,234"),
        (wording.signed_count(0), "0"),
        (wording.percent(0.72949), "72.95%"),
        (wording.percent(None), "—"),
        (wording.points(-0.0536), "−5.36 pt"),
        (wording.points(0.0536), "+5.36 pt"),
        (wording.points(-0.00001), "0.00 pt"),
        (wording.points(None), "—"),
        (wording.value("top1", 0.5), "50.00%"),
        (wording.value("ece", 0.0514), "0.051"),
        (wording.change("ece", -0.0514), "−0.051"),
        (wording.change("gini", None), "—"),
        (wording.change_interval("top1", (-0.063, 0.045)), "−6.30 to +4.50 pt"),
        (wording.change_interval("nll", (0.01, 0.2)), "+0.010 to +0.200"),
        (wording.change_interval("nll", None), "—"),
        (wording.value_interval("top1", (0.1, 0.2)), "10.00% to 20.00%"),
        (wording.p_value(0.0), "p < 0.001"),
        (wording.p_value(0.034), "p = 0.034"),
        (wording.p_value(0.5), "p = 0.50"),
        (wording.size(96_200), "96.2 kB"),
        (wording.size(4_833_000), "4.8 MB"),
        (wording.metric_name("something_new"), "something_new"),
        (wording.flat({"a": [1, 2], "b": None, "c": {"d": True}}), "a: 1, 2, c: d: yes"),
    ],
)
def test_words(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize("dirty", ["a\x1b[31mb", "a\nb", "a\u202eb", "a\ud800b", "a\x00b"])
def test_a_name_cannot_steer_the_terminal(dirty: str) -> None:
    shown = wording.clean(dirty)
    assert shown.isprintable()
    assert shown.encode("utf-8").startswith(b"a\\")


def test_a_long_name_is_cut() -> None:
    assert wording.clean("x" * 200, 10) == "x" * 9 + "…"


def test_the_sentence(row: Comparison) -> None:
    lost, gained = row.flips.lost, row.flips.gained
    expected = (
        f"Of 4,000 images, {lost} that the largest model gets right are now wrong and {gained} that it gets wrong"
    )
    assert wording.sentence(row) == f"{expected} are now right."


def test_the_sentence_without_a_ladder(plain_row: Comparison) -> None:
    said = wording.sentence(plain_row)
    assert said == "Of 10 images, 2 that the reference gets right are now wrong and 1 that it gets wrong is now right."


def test_an_emulated_number_says_how_true_it_is(row: Comparison, plain_row: Comparison) -> None:
    assert wording.badge(row.target) == "emulated, bit-exact"
    assert wording.badge(row.target.model_copy(update={"fidelity": None})) == "emulated, fidelity unknown"
    noted = row.target.model_copy(update={"fidelity": "approximate: a note too long for a line"})
    assert wording.badge(noted) == "emulated, approximate"
    assert wording.badge(plain_row.target) == "imported"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (("net:c4", "net:c8"), ["c4", "c8"]),
        (("net:c4", "other:c8"), ["net:c4", "other:c8"]),
        (("a.npz", "b.npz"), ["a.npz", "b.npz"]),
        (("net:", "net:c4"), ["net:", "net:c4"]),
    ],
)
def test_short_names(row: Comparison, names: tuple[str, ...], short: list[str]) -> None:
    rows = [row.model_copy(update={"candidate": row.candidate.model_copy(update={"name": name})}) for name in names]
    assert wording.short_names(rows) == short


def test_runtime_words(row: Comparison, plain_row: Comparison) -> None:
    assert wording.runtime_words(row.target) == "litert 2.3.0, kernels auto"
    assert wording.runtime_words(plain_row.target) == ""


def test_a_drop_beyond_everything_is_none() -> None:
    assert wording.drop_words(0.0035) == "0.35 pt"
    assert wording.drop_words(2.4865) == "none, there are too few images"
