"""Which flipped samples are shown, within a number of pictures and of bytes."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeval.records.findings import Comparison, Flip
from edgeval.report import wording

MOST = 200
MOST_BYTES = 1_500_000
MOST_ID_BYTES = 500_000


@dataclass(frozen=True)
class Card:
    """One flipped sample; `picture` is a data: URI, or empty where there is none."""

    flip: Flip
    picture: str


@dataclass(frozen=True)
class Group:
    """The flips of one direction: those shown, all their ids as far as these are listed, and how many there are."""

    kind: str
    total: int
    cards: tuple[Card, ...]
    ids: tuple[str, ...]


def galleries(rows: Sequence[Comparison], images: Mapping[str, bytes]) -> list[tuple[Group, Group]]:
    """(lost, gained) of each row; the rows share `MOST` pictures, `MOST_BYTES` of PNG and the room for ids evenly."""
    return [_row(row, images, share=max(1, len(rows))) for row in rows]


def _row(row: Comparison, images: Mapping[str, bytes], *, share: int) -> tuple[Group, Group]:
    """Both directions get room in proportion to their number, but neither less than a quarter if it can fill it."""
    most, most_bytes, room_for_ids = MOST // share, MOST_BYTES // share, MOST_ID_BYTES // share // 2
    lost = [flip for flip in row.flipped if flip.kind == "lost"]
    gained = [flip for flip in row.flipped if flip.kind == "gained"]
    wish = round(most * len(gained) / max(1, len(row.flipped)))
    room = min(len(gained), max(most // 4, min(wish, most * 3 // 4), most - len(lost)))
    first = _cards(lost, images, most=most - room, most_bytes=most_bytes * (most - room) // most)
    second = _cards(gained, images, most=room, most_bytes=most_bytes * room // most)
    return (
        Group("lost", row.flips.lost, first, _listed(row.flips.lost_ids, room_for_ids)),
        Group("gained", row.flips.gained, second, _listed(row.flips.gained_ids, room_for_ids)),
    )


def _cards(flips: Sequence[Flip], images: Mapping[str, bytes], *, most: int, most_bytes: int) -> tuple[Card, ...]:
    """The surest new answers first, those with a picture before those without."""
    cards: list[Card] = []
    for flip in sorted(flips, key=lambda f: (f.id not in images, -(f.candidate.confidence or 0), f.id)):
        picture = images.get(flip.id, b"")
        most_bytes -= len(picture)
        if len(cards) == most or most_bytes < 0:
            break
        cards.append(Card(flip, _uri(picture)))
    return tuple(cards)


def _listed(ids: Sequence[str], room: int) -> tuple[str, ...]:
    """The first ids, as many as fit into `room` bytes of markup; each is cut to 120 characters on the page."""
    listed = []
    for name in ids:
        room -= len("<li></li>") + len(html.escape(wording.clean(name, 120)).encode("utf-8", "replace"))
        if room < 0:
            break
        listed.append(name)
    return tuple(listed)


def _uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""
