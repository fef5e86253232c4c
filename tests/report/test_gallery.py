"""The gallery stays within its room and shows the surest new answers."""

import pytest

from edgeval.records.findings import Comparison
from edgeval.report.gallery import MOST, MOST_BYTES, MOST_ID_BYTES, galleries


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


def test_all_ids_are_listed_as_far_as_there_is_room(row: Comparison) -> None:
    lost, gained = galleries([row], {})[0]
    assert (lost.ids, gained.ids) == (row.flips.lost_ids, row.flips.gained_ids)
    ids = tuple(f"<{k:06d}>" + "x" * 200 for k in range(20_000))
    many = row.model_copy(update={"flips": row.flips.model_copy(update={"lost_ids": ids, "lost": len(ids)})})
    lost, _ = galleries([many], {})[0]
    assert 0.4 * MOST_ID_BYTES < sum(len(name[:120]) for name in lost.ids) < MOST_ID_BYTES / 2
    assert lost.total == 20_000
