"""The gallery stays within its room and shows the surest new answers."""

import pytest

from edgeval.records.findings import Comparison
from edgeval.report.gallery import MOST, MOST_BYTES, MOST_IDS, galleries


def test_the_surest_mistakes_come_first(row: Comparison, pictures: dict[str, bytes]) -> None:
    lost, _ = galleries([row], pictures)[0]
    sure = [card.flip.candidate.confidence for card in lost.cards]
    assert sure == sorted(sure, reverse=True)
    assert sure[0] == max(f.candidate.confidence for f in row.flipped if f.kind == "lost")


def test_rows_share_the_room(rows: list[Comparison], pictures: dict[str, bytes]) -> None:
    shown = [sum(len(group.cards) for group in groups) for groups in galleries(rows, pictures)]
    assert shown == [MOST // 3] * 3


@pytest.mark.parametrize(("n_lost", "n_gained", "shown"), [(900, 60, (150, 50)), (20, 900, (20, 180)), (5, 3, (5, 3))])
def test_both_directions_get_room(row: Comparison, n_lost: int, n_gained: int, shown: tuple[int, int]) -> None:
    lost = [f for f in row.flipped if f.kind == "lost"]
    flips = [lost[0].model_copy(update={"id": f"l{k}"}) for k in range(n_lost)]
    flips += [lost[0].model_copy(update={"id": f"g{k}", "kind": "gained"}) for k in range(n_gained)]
    groups = galleries([row.model_copy(update={"flipped": tuple(flips)})], {})[0]
    assert tuple(len(group.cards) for group in groups) == shown


def test_large_pictures_fill_the_room_in_bytes(row: Comparison) -> None:
    heavy = {flip.id: b"\x89PNG" + bytes(40_000) for flip in row.flipped}
    groups = galleries([row], heavy)[0]
    held = sum(len(card.picture) for group in groups for card in group.cards)
    assert 0.5 * MOST_BYTES < held < 1.4 * MOST_BYTES
    assert groups[0].total == row.flips.lost


def test_samples_with_a_picture_go_before_those_without(row: Comparison) -> None:
    last = [flip.id for flip in row.flipped if flip.kind == "lost"][-5:]
    lost, _ = galleries([row], dict.fromkeys(last, b"\x89PNG"))[0]
    assert {card.flip.id for card in lost.cards[:5]} == set(last)
    assert [bool(card.picture) for card in lost.cards[:6]] == [True] * 5 + [False]


def test_ids_are_capped_and_counted(row: Comparison) -> None:
    lost, gained = galleries([row], {})[0]
    assert len(lost.ids) == min(MOST_IDS, row.flips.lost)
    assert (lost.total, gained.total) == (row.flips.lost, row.flips.gained)
