"""What a terminal and a pull request show after two regression models were compared, or one was scored."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

from edgeval.records.findings import Delta, Estimate, Interval
from edgeval.records.regression import OutputDelta, RegressionComparison, RegressionScore
from edgeval.report import judged, wording
from edgeval.report.markdown import escape

ASCII = str.maketrans({wording.MINUS: "-", "→": "->", wording.DASH: "-", "…": "...", "×": "x", "²": "2"})
MEASURES = {"mse": "MSE", "mae": "MAE", "bias": "bias", "r2": "R²", "max_abs": "largest error"}
SHOWN = 6  # outputs on the first screen
NOTES = 3


def figure(number: float | None, *, signed: bool = False) -> str:
    """Four significant digits, with a sign where it is a change."""
    if number is None:
        return wording.DASH
    if number == 0:
        return "0"
    size = math.floor(math.log10(abs(number)))
    sign = "+" if signed else ""
    shown = f"{number:{sign},.{max(0, 3 - size)}f}" if -5 <= size < 7 else f"{number:{sign}.3e}"
    return shown.replace("-", wording.MINUS)


def interval(ends: Interval | None, *, signed: bool = False) -> str:
    """Both ends with four significant digits."""
    return wording.DASH if ends is None else " to ".join(figure(end, signed=signed) for end in ends)


def ratio_words(found: Estimate) -> str:
    """'× 1.014 (95% 0.992 to 1.037)', or why there is none."""
    if found.value is None:
        return found.method
    ends = f" (95% {interval(found.ci95)})" if found.ci95 else ""
    return f"× {figure(found.value)}{ends}"


def sentence(row: RegressionComparison) -> str:
    """The finding in one plain sentence."""
    n = "1 sample" if row.n == 1 else f"{wording.count(row.n)} samples"
    if row.mse_ratio.value is None:
        return f"On {n}, {row.mse_ratio.method}."
    ratio, ends = row.mse_ratio.value, row.mse_ratio.ci95
    if abs(ratio - 1) < 0.0005:
        return f"On {n}, the mean squared error of the candidate is as large as the reference's."
    words = f"{abs(ratio - 1):.1%} {'larger' if ratio > 1 else 'smaller'} than" if ratio < 2 else f"{ratio:.3g} times"
    doubt = ", which may be chance" if ends is None or ends[0] <= 1 <= ends[1] else ""
    if not doubt and row.mse_ratio.approximate:
        doubt = "; the interval behind this is approximate"
    return f"On {n}, the mean squared error of the candidate is {words} the reference's{doubt}."


def within_words(row: RegressionComparison) -> str:
    """What 'within' means here."""
    limits = row.tolerance or ()
    shown = ", ".join(f"{limit:g}" for limit in (limits[:1] if len(set(limits)) == 1 else limits[:6]))
    every = " in every output" if len(row.per_output) > 1 else ""
    return f"within {shown}{every}" + (", ..." if len(set(limits)) > 1 and len(limits) > 6 else "")


def moved_words(output: OutputDelta) -> str:
    """How far the answers of one output moved."""
    m = output.moved
    relative = "" if m.rms_relative is None else f" ({m.rms_relative:.1%} of the targets' standard deviation)"
    return f"RMS {figure(m.rms)}{relative}, 95% by at most {figure(m.p95)}, largest {figure(m.max)}"


def stage_words(row: RegressionComparison) -> list[tuple[str, list[str], str]]:
    """Each step's name, every output's change of MSE and what it was before, and who left the tolerance."""
    found: list[tuple[str, list[str], str]] = []
    for stage in row.stages:
        changes = [
            f"{figure(change, signed=True)} ({figure(after - change)} → {figure(after)})"
            for after, change in zip(stage.mse, stage.mse_change, strict=True)
        ]
        flips = "" if stage.lost is None else f"{stage.lost:,} left the tolerance, {stage.gained:,} came in"
        found.append((stage.name, changes, flips))
    return found


def step_words(row: RegressionComparison) -> str:
    """How wide the grid of a quantised candidate is beside each output's error; empty where there is none."""
    shares = []
    for output in row.per_output:
        mse = output.mse.candidate
        if output.step is not None and mse:
            shares.append(f"{output.step / math.sqrt(mse):.2f} of the RMSE of {wording.clean(output.name, 30)}")
    steps = [output.step for output in row.per_output]
    return f"one step of the output's grid, {figure(steps[0])}, is {', '.join(shares[:SHOWN])}" if shares else ""


def worst_first(row: RegressionComparison) -> list[OutputDelta]:
    """Outputs by the ratio of their MSEs, the largest first; those without a ratio last."""
    return sorted(row.per_output, key=lambda o: -1.0 if o.mse_ratio.value is None else o.mse_ratio.value, reverse=True)


def render_text(row: RegressionComparison, *, report: Path | None) -> str:
    """One screen within 80 columns, plain ASCII around the names."""
    lines = [
        *_verdict(row),
        *_wrap(f"{_title(row)} against {wording.clean(row.reference.name)}"),
        f"  {_facts(row)}",
        "",
    ]
    lines += [_line("MSE", row.metrics["mse"]), f"  {'':<9}{ratio_words(row.mse_ratio)}"]
    lines += [_line("MAE", row.metrics["mae"])]
    if len(row.per_output) == 1:
        only = row.per_output[0]
        lines += [_line("bias", only.bias), _line("R²", only.r2)]
    if row.flips is not None:
        share = row.metrics["within_tolerance"]
        sides = f"{wording.percent(share.reference)} → {wording.percent(share.candidate)}"
        lines += [f"  {within_words(row)}: {sides}, {wording.points(share.delta)}"]
        ends = wording.change_interval("within_tolerance", share.ci95)
        lines += [f"  {'':<9}95% {ends}; {row.flips.lost:,} left it, {row.flips.gained:,} came in"]
    if len(row.per_output) == 1:
        lines += _wrap(f"  moved    {moved_words(row.per_output[0])}", 79, " " * 11)
    else:
        lines += _outputs(row)
    lines += _wrap(f"  {step_words(row)}", 79, "    ") if step_words(row) else []
    lines += _stages(row)
    lines += [f"  latency {wording.latency(row.latency_ms)}"] if row.latency_ms else []
    lines += [f"  {wording.microcontroller(row.candidate)}"] if row.candidate.arena else []
    lines += ["", *_notes(row.notes)] if row.notes else []
    return "\n".join([*lines, *([f"\nReport: {report}"] if report else [])]).translate(ASCII)


def render_score(score: RegressionScore) -> str:
    """Every measure of one table with its 95% interval, by output."""
    source = score.source
    lines = [f"{wording.clean(source.name, 50)} ({wording.clean(source.format, 20)}), n = {score.n:,}"]
    if len(score.per_output) > 1:
        lines += ["", "  all outputs", _scored("MSE", score.mse), _scored("MAE", score.mae)]
    for output in score.per_output:
        lines += ["", f"  {wording.clean(output.name, 60)}"]
        lines += [_scored(words, getattr(output, name)) for name, words in MEASURES.items()]
    if score.within_tolerance is not None and score.tolerance is not None:
        limits = ", ".join(f"{limit:g}" for limit in dict.fromkeys(score.tolerance))
        ends = wording.value_interval("within_tolerance", score.within_tolerance.ci95)
        lines += ["", f"  within {wording.clean(limits, 40)}: {wording.percent(score.within_tolerance.value)}  {ends}"]
    lines += ["", *_notes(score.notes)] if score.notes else []
    return "\n".join(lines).translate(ASCII)


def render_markdown(row: RegressionComparison) -> str:
    """The short report for a pull request, in GitHub's Markdown; names are escaped."""
    head = f"### {escape(_title(row), 120)} against {escape(row.reference.name)} ({escape(row.reference.format)})"
    verdict = (
        [f"**{judged.status_words(row.verdict.status).upper()}** {escape(judged.summary(row.verdict), 400)}"]
        if (row.verdict)
        else []
    )
    parts = [head, *verdict, escape(sentence(row), 400), _measures(row), _by_output(row)]
    parts += [_stage_table(row)] if row.stages else []
    parts += [escape(step_words(row).capitalize() + ".", 400)] if step_words(row) else []
    parts += ["\n".join(f"- {escape(note, 400)}" for note in row.notes)] if row.notes else []
    parts += ["<sub>Change = candidate − reference. A comparison does not judge; `edgeval gate` does.</sub>"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _measures(row: RegressionComparison) -> str:
    """The measures over all outputs as a table."""
    lines = ["| Measure | Reference | Candidate | Change | 95% interval |", "| :-- | --: | --: | --: | --: |"]
    for name in ("mse", "mae"):
        m = row.metrics[name]
        cells = (figure(m.reference), figure(m.candidate), figure(m.delta, signed=True), interval(m.ci95, signed=True))
        lines.append(f"| {MEASURES[name]} | {' | '.join(cells)} |")
    lines.append(f"| MSE ratio | | | × {figure(row.mse_ratio.value)} | {interval(row.mse_ratio.ci95)} |")
    if "within_tolerance" in row.metrics:
        m = row.metrics["within_tolerance"]
        sides = f"{wording.percent(m.reference)} | {wording.percent(m.candidate)}"
        ends = wording.change_interval("within_tolerance", m.ci95)
        lines.append(f"| {escape(within_words(row))} | {sides} | {wording.points(m.delta)} | {ends} |")
    return "\n".join(lines)


def _by_output(row: RegressionComparison) -> str:
    """One line an output, the worst first."""
    head = (
        "| Output | MSE | Ratio | 95% interval | Bias | R² | Moved, RMS |\n| :-- | --: | --: | --: | --: | --: | --: |"
    )
    lines = [
        f"| {escape(o.name)} | {_arrow(o.mse)} | × {figure(o.mse_ratio.value)} | {interval(o.mse_ratio.ci95)} "
        f"| {_arrow(o.bias)} | {_arrow(o.r2)} | {figure(o.moved.rms)} |"
        for o in worst_first(row)[:50]
    ]
    return "\n".join([head, *lines])


def _arrow(m: Delta) -> str:
    return f"{figure(m.reference)} → {figure(m.candidate)}"


def _line(label: str, m: Delta) -> str:
    """Both sides, the change and its interval."""
    if m.delta is None:
        return f"  {label:<9}{wording.DASH}  {wording.clean(m.method, 60)}"
    end = "no interval" if m.ci95 is None else f"95% {interval(m.ci95, signed=True)}"
    doubt = " ~" if "approximate" in m.method else ""
    return f"  {label:<9}{_arrow(m):<24}{figure(m.delta, signed=True):<12}{end}{doubt}"


def _outputs(row: RegressionComparison) -> list[str]:
    """The worst outputs as a table."""
    lines = ["", f"  {'output':<18}{'MSE':>22}  {'ratio':>7}  {'95% interval':<18}{'moved':>8}"]
    for o in worst_first(row)[:SHOWN]:
        moved = figure(o.moved.rms) if o.moved.rms_relative is None else f"{o.moved.rms_relative:.1%}"
        ends = wording.DASH if o.mse_ratio.ci95 is None else " to ".join(_short(end) for end in o.mse_ratio.ci95)
        ratio = wording.DASH if o.mse_ratio.value is None else _short(o.mse_ratio.value)
        lines.append(f"  {wording.clean(o.name, 17):<18}{_arrow(o.mse):>22}  {ratio:>7}  {ends:<18}{moved:>8}")
    if len(row.per_output) > SHOWN:
        lines.append(f"  {len(row.per_output) - SHOWN} more outputs in the report")
    return [*lines, "  moved: RMS of candidate - reference, of the targets' standard deviation"]


def _stages(row: RegressionComparison) -> list[str]:
    """What each step changed in the MSE of the first outputs."""
    if not row.stages:
        return []
    names = [wording.clean(output.name, 11) for output in row.per_output[:4]]
    lines = ["", f"  {'change of MSE by':<18}" + "".join(f"{name:>13}" for name in names)]
    for stage in row.stages:
        lines.append(f"  {stage.name:<18}" + "".join(f"{figure(c, signed=True):>13}" for c in stage.mse_change[:4]))
    return lines


def _stage_table(row: RegressionComparison) -> str:
    """One line a step, one column an output."""
    shown = row.per_output[:20]
    head = f"| Step: change of MSE | {' | '.join(escape(output.name) for output in shown)} | Tolerance |"
    lines = [head, f"| :-- |{' --: |' * len(shown)} :-- |"]
    lines += [f"| {name} | {' | '.join(cells[:20])} | {flips} |" for name, cells, flips in stage_words(row)]
    return "\n".join(lines)


def _short(ratio: float) -> str:
    """At most seven characters."""
    return f"{ratio:.3f}" if ratio < 1000 else f"{ratio:.1e}"


def _scored(label: str, found: Estimate) -> str:
    if found.value is None:
        return f"    {label:<16}{wording.DASH:>11}  {wording.clean(found.method, 46)}"
    ends = interval(found.ci95) if found.ci95 else "no interval"
    return f"    {label:<16}{figure(found.value):>11}  {ends}{' ~' if found.approximate else ''}"


def _verdict(row: RegressionComparison) -> list[str]:
    """The verdict and why, if there is one."""
    if row.verdict is None:
        return []
    return [*_wrap(f"{judged.status_words(row.verdict.status).upper()}: {judged.summary(row.verdict)}"), ""]


def _title(row: Any) -> str:
    return wording.clean(wording.title(row))


def _facts(row: RegressionComparison) -> str:
    """Origin, runtime and number of samples."""
    badge, n = wording.clean(wording.badge(row.target), 24), f"n = {wording.count(row.n)}"
    runtime = wording.clean(wording.runtime_words(row.target), 72 - len(badge) - len(n))
    return ", ".join(part for part in (badge, runtime, n) if part)


def _notes(notes: tuple[str, ...]) -> list[str]:
    """The first notes; the report has them all."""
    lines = [f"  {line}" for note in notes[:NOTES] for line in _wrap(f"note: {note}", 76)]
    return (
        [*lines, f"  {len(notes) - NOTES} more {'note' if len(notes) == NOTES + 1 else 'notes'} in the report"]
        if len(notes) > NOTES
        else lines
    )


def _wrap(text: str, width: int = 78, indent: str = "  ") -> list[str]:
    return textwrap.wrap(wording.visible(text), width, subsequent_indent=indent, break_on_hyphens=False)
