"""The page says what was found, needs nothing from outside, and lets no name in as markup."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import sys
from collections import Counter
from html.parser import HTMLParser

import pytest

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.findings import Comparison
from edgeval.records.verdict import Status
from edgeval.report import judged as judge_words
from edgeval.report import wording
from edgeval.report.gallery import MOST
from edgeval.report.html import render_html
from tests.report.conftest import judge, judged_row
from tests.report.hostile import hostile

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """The elements, attributes and text of a page; fails where tags do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def test_the_first_screen_says_what_matters(row: Comparison, one: str) -> None:
    words = Page(one).words()
    first = words[: words.index("Where the answers flipped")]
    top1, ece = row.metrics["top1"], row.metrics["ece"]
    for expected in (
        "Compared with c16 (torch)",
        "c4 (tflite-int8) on rpi4",
        "emulated, bit-exact",
        "litert 2.3.0, kernels auto",
        wording.sentence(row),
        f"{wording.percent(top1.reference)} → {wording.percent(top1.candidate)}",
        f"{wording.points(top1.delta)}, 95% interval {wording.change_interval('top1', top1.ci95)}",
        f"{row.flips.lost} lost, {row.flips.gained} gained",
        f"{wording.change('ece', ece.delta)}, 95% interval {wording.change_interval('ece', ece.ci95)}",
        "4.2 ms median",
    ):
        assert expected in first


def test_nothing_is_judged(one: str, three: str) -> None:
    assert not re.search(r"\b(PASS|FAIL|passed|failed|verdict|INCONCLUSIVE)\b", Page(one).words() + Page(three).words())


def test_a_verdict_comes_first_in_words_and_with_a_sign(judged: Comparison, judged_page: str) -> None:
    words = Page(judged_page).words()
    first = words[: words.index(wording.sentence(judged))]
    assert "FAIL 1 of 4 rules is broken: Top-1 accuracy may drop by at most 2.00 pt, and changed by −6.00 pt" in first
    assert re.search(r'<svg class="sign"[^>]*aria-hidden="true"', judged_page)
    assert "<title>FAIL: " in judged_page
    for rule in judged.verdict.rules:
        assert judge_words.asked(rule) in words
        assert judge_words.figure(rule, rule.bound) in words
    assert "about 2,300 more images decide it" in words
    assert "beaver" in words
    assert "does not judge it" not in words


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("PASS", "PASS The only rule holds."),
        ("INCONCLUSIVE", "INCONCLUSIVE 2 of 3 rules are still open"),
        ("NO_VERDICT", "NO VERDICT the runtime's version is unknown."),
    ],
)
def test_every_status_is_a_word(plain_row: Comparison, status: Status, said: str) -> None:
    assert said in Page(render_html([judge(plain_row, status)], images={})).words()


def test_everything_a_gate_finds_is_on_the_page(judged: Comparison, judged_page: str) -> None:
    words = Page(judged_page).words()
    device = next(s for s in judged.stages if s.name == "device")
    for expected in (
        f"The device step flips {device.lost + device.gained} of 4,000 answers",
        "kernel families alone flip 25 to 40 of 1,000 (in 12 s)",
        "another seed flips 580 of 4,000 answers (J 0.60)",
        "beaver lost most beyond chance: 30 lost and 2 gained of 40 (−70.00 pt)",
        "2 classes collapsed: apple (answered for 1.00% of the images before, 0.00% now), aquarium_fish",
        "temperature of 1.34 (the reference: 1.10) would bring its ECE to 0.021",
        "Candidate, threshold restored0.71042.00%88.00%",
        "48.00% to 52.00%",
        "What is taken for what",
        "appleworm030+30",
    ):
        assert expected in words, expected


def test_several_verdicts_are_one_and_each(rows: list[Comparison]) -> None:
    three = [judge(rows[0], "PASS"), judge(rows[1], "FAIL"), rows[2]]
    words = Page(render_html(three, images={})).words()
    assert "FAIL 1 of 2 candidates: 1 of 4 rules is broken" in words[: words.index("At a glance")]
    assert "not judged" in words


def test_every_part_is_there(row: Comparison, one: str) -> None:
    page = Page(one)
    words = page.words()
    assert Counter(page.tags)["img"] == MOST
    assert Counter(page.tags)["svg"] == 5
    for c in row.per_class:
        assert c.name in words
    for text in (*row.notes, row.command, row.candidate.sha256, row.flips.lost_ids[0], "(cancelled)"):
        assert text in words
    net = wording.signed_count(row.flips.gained - row.flips.lost)
    assert f"nets of the steps sum to {net}; from end to end the change is {net}" in words


def test_the_page_needs_nothing_from_outside(three: str) -> None:
    page = Page(three)
    assert "://" not in three
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert all(link.startswith("#") for link in page.values("href"))
    assert all(source.startswith("data:image/png;base64,") for source in page.values("src"))
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", three))
    assert "@import" not in three


def test_only_our_own_script_may_run(one: str) -> None:
    page = Page(one)
    script = one[one.index("<script>") + len("<script>") : one.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (rules,) = [value for value in page.values("content") if "script-src" in value]
    assert f"script-src 'sha256-{digest}'" in rules
    assert rules.startswith("default-src 'none'")
    assert page.tags.count("script") == 1


def test_ids_are_unique_and_links_lead_somewhere(three: str) -> None:
    page = Page(three)
    ids = Counter(page.values("id"))
    assert max(ids.values()) == 1
    wanted = [link[1:] for link in page.values("href")] + page.values("aria-labelledby")
    wanted += re.findall(r"url\(#([^)]*)\)", three)
    assert {"row-1", "row-2", "row-3"} <= set(wanted) <= set(ids)


def test_headings_tables_and_pictures_have_names(one: str, three: str) -> None:
    for html in (one, three):
        page = Page(html)
        levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        counts = Counter(page.tags)
        assert counts["table"] == counts["caption"] > 0
        assert len(page.values("alt")) == counts["img"]
        assert all(page.values("alt"))


def test_several_rows_begin_with_an_overview(rows: list[Comparison], one: str, three: str) -> None:
    assert "At a glance" not in one
    words = Page(three).words()
    overview = words[: words.index("Where the answers flipped")]
    assert "3 candidates against c16" in overview
    for row in rows:
        assert wording.change_interval("top1", row.metrics["top1"].ci95) in overview


def test_missing_parts_are_said_in_a_line(plain_row: Comparison) -> None:
    words = Page(render_html([plain_row], images={})).words()
    for expected in (
        "Only the two ends were compared",
        "Calibration needs probabilities or logits on both sides",
        "there is no reliability diagram",
        "No latency was measured.",
        "no interval: too few images a class for an interval",
        "1 without a sample is left out",
        "Right before, wrong now 2; their answers are not part of this comparison.",
    ):
        assert expected in words
    assert not re.search(r"\b(None|nan|NaN|Undefined|null)\b", words)
    assert "Run it again" not in words


def test_two_models_without_an_error(plain_row: Comparison) -> None:
    same = plain_row.overlap.model_copy(update=dict.fromkeys(("jaccard", "jaccard_max", "jaccard_independent")))
    none = same.model_copy(update={"errors_reference": 0, "errors_candidate": 0})
    flips = plain_row.flips.model_copy(
        update={"lost": 0, "gained": 0, "both_wrong": 0, "lost_ids": (), "gained_ids": ()}
    )
    words = Page(render_html([plain_row.model_copy(update={"overlap": none, "flips": flips})], images={})).words()
    assert "Neither side makes an error" in words
    assert "Right before, wrong now none." in words
    assert "Of 10 images, 0 that the reference gets right are now wrong" in words


def test_without_pictures_the_answers_are_still_shown(row: Comparison) -> None:
    page = Page(render_html([row], images={}))
    assert "img" not in page.tags
    assert "The surest new answers first".lower() in page.words()
    assert page.values("class").count("flip lost") + page.values("class").count("flip gained") == MOST


def test_hostile_names_change_no_element_and_no_attribute(
    judged: Comparison, judged_page: str, pictures: dict[str, bytes]
) -> None:
    bad = hostile(judged)
    images = {f.id: pictures[tame.id] for f, tame in zip(bad.flipped, judged.flipped, strict=True)}
    html = render_html([bad], images=images)
    page, tame_page = Page(html), Page(judged_page)
    allowed = set(tame_page.tags)
    assert set(page.tags) <= allowed
    assert {name for _, name, _ in page.attributes} <= {name for _, name, _ in tame_page.attributes}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [
        v for _, name, v in page.attributes if name in {"href", "src"} and not v.startswith(("#", "data:image/png"))
    ]
    assert "<script>alert(1)</script>" in page.words()
    assert "{{ 7 * 7 }}" in page.words()
    html.encode("utf-8")


def test_the_page_is_deterministic(row: Comparison, one: str, pictures: dict[str, bytes]) -> None:
    assert render_html([row], images=pictures) == one


def test_of_very_many_classes_the_ends_are_listed(row: Comparison) -> None:
    many = [
        c.model_copy(update={"index": k, "name": f"class {k}", "delta": k / 5000 - 0.5})
        for k in range(5000)
        for c in row.per_class[:1]
    ]
    words = Page(render_html([row.model_copy(update={"per_class": tuple(many)})], images={})).words()
    assert "4,000 classes that changed least are in the JSON only." in words
    assert "class 0" in words
    assert "class 4999" in words
    assert "class 2500" not in words


def test_the_page_stays_small(rows: list[Comparison]) -> None:
    ids = tuple(f"some/folder/with/a/long/name/{k:06d}.jpeg" for k in range(10_000))
    noise = b"\x89PNG" + bytes(12_000)
    many = [
        judged_row(row).model_copy(update={"flips": row.flips.model_copy(update={"lost": 10_000, "lost_ids": ids})})
        for row in rows
    ]
    html = render_html(many, images={flip.id: noise for row in rows for flip in row.flipped})
    assert len(html.encode()) < 3_000_000
    assert re.search(r"[\d,]+ more are in the JSON", Page(html).words())


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_the_extra_the_error_says_what_to_install(
    plain_row: Comparison, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RuntimeMissing, match=r"pip install 'edgeval-toolkit\[report\]'"):
        render_html([plain_row], images={})


def test_no_row_is_an_error() -> None:
    with pytest.raises(InputError, match="no comparison"):
        render_html([], images={})
