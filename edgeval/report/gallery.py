"""Which flipped samples are shown, within a number of pictures and of bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeval.records.findings import Comparison, Flip

MOST = 200
MOST_BYTES = 1_500_000
MOST_IDS = 400


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
    """(lost, gained) of each row; the rows share `MOST` pictures and `MOST_BYTES` of PNG evenly."""
    share = max(1, len(rows))
    return [_row(row, images, most=MOST // share, most_bytes=MOST_BYTES // share) for row in rows]


def _row(row: Comparison, images: Mapping[str, bytes], *, most: int, most_bytes: int) -> tuple[Group, Group]:
    """Both directions get room in proportion to their number, but neither less than a quarter if it can fill it."""
    lost = [flip for flip in row.flipped if flip.kind == "lost"]
    gained = [flip for flip in row.flipped if flip.kind == "gained"]
    wish = round(most * len(gained) / max(1, len(row.flipped)))
    room = min(len(gained), max(most // 4, min(wish, most * 3 // 4), most - len(lost)))
    first = _cards(lost, images, most=most - room, most_bytes=most_bytes * (most - room) // most)
    second = _cards(gained, images, most=room, most_bytes=most_bytes * room // most)
    return (
        Group("lost", row.flips.lost, first, row.flips.lost_ids[:MOST_IDS]),
        Group("gained", row.flips.gained, second, row.flips.gained_ids[:MOST_IDS]),
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


def _uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""
