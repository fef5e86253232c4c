"""The verdict as JUnit XML, which every CI system shows: a suite a target, a case a rule."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from edgeval.errors import InputError
from edgeval.records.fleet import DeviceState, Fleet
from edgeval.records.verdict import RuleResult, Verdict
from edgeval.report import judged, wording
from edgeval.report.judged import Row

# A rule that is not decided stops a release as much as a broken one. CI systems show an error in red and a skipped
# case in green, so inconclusive and no verdict are errors; `skipped` is a comparison that nobody asked to judge.
ELEMENTS = {"FAIL": "failure", "INCONCLUSIVE": "error", "NO_VERDICT": "error"}
MOST_CLASSES = 50


def render_junit(rows: Sequence[Row], fleet: Fleet | None = None) -> str:
    """The XML text, with a suite for each target of a fleet that did not answer. Raises InputError without a row."""
    if not rows:
        raise InputError("there is no comparison to report", hint="edgeval compare --target NAME")
    root = ET.Element("testsuites", name="edgeval")
    for row in rows:
        root.append(_suite(row))
    for device in fleet.silent if fleet else ():
        root.append(_silent(device))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", "0")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(row: Row) -> ET.Element:
    """One candidate on one target."""
    name = _text(f"{wording.title(row)} against {row.reference.name}", 300)
    suite = ET.Element("testsuite", name=name)
    properties = ET.SubElement(suite, "properties")
    for key, value in _facts(row).items():
        ET.SubElement(properties, "property", name=key, value=_text(value, 300))
    cases = _cases(row)
    suite.extend(cases)
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", "0")
    return suite


def _silent(device: DeviceState) -> ET.Element:
    """A target that did not answer."""
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0"}
    suite = ET.Element("testsuite", {"name": _text(device.name, 300), **counts})
    case = _case(f"edgeval.{device.name}", "the target answers")
    said = f"{device.state}, exit code {device.exit_code}: {device.error}"
    ET.SubElement(case, "error", message=_text(said, 600), type=device.state.upper())
    suite.append(case)
    return suite


def _facts(row: Row) -> dict[str, str]:
    """What the suite is about."""
    facts = {"n": str(row.n), "origin": wording.badge(row.target), "runtime": wording.runtime_words(row.target)}
    facts |= {"sha256": row.candidate.sha256 or "", "command": row.command}
    facts |= {"verdict": row.verdict.status} if row.verdict else {}
    return {key: value for key, value in facts.items() if value}


def _cases(row: Row) -> list[ET.Element]:
    """A case a rule; one more where the evidence itself stops the verdict, or where nothing was judged."""
    place = f"edgeval.{wording.place(row)}.{row.candidate.name}"
    if row.verdict is None:
        case = _case(place, "not judged")
        ET.SubElement(case, "skipped", message="a comparison does not judge: edgeval gate does")
        return [case]
    cases = [_rule(place, rule) for rule in row.verdict.rules]
    if not cases or (row.verdict.status == "NO_VERDICT" and row.verdict.reasons):
        cases.insert(0, _evidence(place, row.verdict))
    return cases


def _evidence(place: str, verdict: Verdict) -> ET.Element:
    """Whether the numbers can be trusted at all."""
    case = _case(place, "the evidence can be judged")
    if verdict.status != "PASS":
        message = _text(judged.summary(verdict), 300)
        stop = ET.SubElement(case, ELEMENTS[verdict.status], message=message, type=verdict.status)
        stop.text = "\n".join(_text(reason, 600) for reason in verdict.reasons[:50])
    return case


def _rule(place: str, rule: RuleResult) -> ET.Element:
    """One rule with its figures; named classes stand in the text."""
    case = _case(place, f"{judged.about(rule)} {judged.asked(rule)}")
    lines = [f"{judged.status_words(rule.status)}: {judged.full(rule)}", rule.text, rule.why, rule.method]
    lines += [
        f"{one.name}: {judged.status_words(one.status)}, {judged.figure(rule, one.value)}, at worst "
        f"{judged.figure(rule, one.bound)}, {wording.count(one.n)} images"
        for one in rule.classes[:MOST_CLASSES]
    ]
    body = "\n".join(_text(line, 600) for line in lines if line)
    if rule.status in ELEMENTS:
        found = ET.SubElement(case, ELEMENTS[rule.status], message=_text(judged.full(rule), 300), type=rule.status)
        found.text = body
    else:
        ET.SubElement(case, "system-out").text = body
    return case


def _case(place: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=_text(place, 200), name=_text(name, 200), time="0")


def _text(text: str, limit: int) -> str:
    """What is not printable is spelt out: XML 1.0 has no place for control characters and lone surrogates."""
    return wording.clean(text, limit)
