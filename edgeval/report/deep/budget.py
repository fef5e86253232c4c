"""More images or a larger net: what doubling either does to the error, and which of the two a budget should go to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from edgeval.records.deep_regression import DeepRegression, Doubling
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.deep.wording import ends, number

ANSWERS = {
    "images": "More images pay more",
    "parameters": "A larger net pays more",
    "cannot be told": "Seeds and test images cannot tell which pays more",
}


def budget_blocks(found: DeepRegression) -> Iterator[Block]:
    """Nothing where the two laws do not meet."""
    if not found.doublings:
        return
    yield Heading("More images or a larger net?")
    yield Text(answer_sentence(found))
    for net in dict.fromkeys(one.net for one in found.doublings):
        yield Text(_net(net, [one for one in found.doublings if one.net == net]))
    yield _table(found)


def answer_sentence(found: DeepRegression) -> str:
    """Which of the two pays more, for which networks and outputs."""
    parts = []
    for better, words in ANSWERS.items():
        mine = [one for one in found.doublings if one.better == better]
        nets = dict.fromkeys(one.net for one in mine)
        who = [
            f"{wording.clean(n, 30)} ({', '.join(wording.clean(o.output, 30) for o in mine if o.net == n)})"
            for n in nets
        ]
        parts += [f"{words}: {', '.join(who)}."] if who else []
    return " ".join(parts)


def _net(net: str, mine: Sequence[Doubling]) -> str:
    """What doubling does to each output of one network, around the size where its laws meet."""
    said = []
    for (count, size), ones in groupby(mine, key=lambda one: (one.images, one.params)):
        there = list(ones)
        names = [wording.clean(one.output, 30) for one in there]
        images = [f"{number(one.by_images)} ({ends(one.by_images_ci95)})" for one in there]
        params = [f"{number(one.by_params)} ({ends(one.by_params_ci95)})" for one in there]
        by_images, by_params = (
            ", of ".join(f"{name} by {times}" for name, times in zip(names, found, strict=True))
            for found in (images, params)
        )
        where = f"{wording.clean(net, 30)}, around {wording.count(count)} images and {wording.count(size)} parameters"
        said.append(
            f"{where}: twice the images multiply the MSE of {by_images}; twice the parameters that of {by_params}."
        )
    return " ".join(said)


def _table(found: DeepRegression) -> Table:
    """The same with intervals, and how a budget is shared."""
    body = tuple(
        (
            one.net,
            one.output,
            wording.count(one.images),
            wording.count(one.params),
            number(one.by_images),
            ends(one.by_images_ci95),
            number(one.by_params),
            ends(one.by_params_ci95),
            one.better,
        )
        for one in found.doublings
    )
    head: tuple[str, ...] = ("Net", "Output", "Images", "Parameters", "Twice the images", "95%")
    head += ("Twice the parameters", "95%", "Pays more")
    caption = (
        "What doubling multiplies the MSE by, by straight lines through the last sizes of the two laws that meet there;"
        " intervals by t from the variances over seeds and over test images, each at 95% by itself"
    )
    return known_columns(Table(head, body, caption, words=2))
