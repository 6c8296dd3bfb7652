"""Things scattered on the ground, as in varied scenes: they may hide and cut each other."""

from __future__ import annotations

from sgt_data.scenes.dice import Dice
from sgt_data.scenes.placed import Placed, choose_size, choose_yaw, stands_free
from sgt_data.scenes.setting import Setting
from sgt_data.scenes.staging import Scattered, Staging


def scatter_things(
    dice: Dice, staging: Staging, places: Scattered, setting: Setting, view: tuple[float, float]
) -> tuple[Placed, ...]:
    """Things that stand free of each other on the ground.

    Args:
        dice: source of randomness.
        staging: kinds and sizes of the things.
        places: how many there are, and where.
        setting: where water and walls are.
        view: half of what the shorter side shows at the middle distance; this distance. Metres.
    """
    fewest, most = places.things
    count = fewest + dice.below(most - fewest + 1)
    things: list[Placed] = []
    while len(things) < count:
        kind = dice.choice(staging.kinds)
        if things and dice.chance() < places.same_kind:
            kind = things[-1].kind
        aside = places.aside[0 if len(things) < 2 else 1]
        for _ in range(places.tries):
            thing = _candidate(dice, kind, staging, aside, view)
            if stands_free(thing, things, setting):
                things.append(thing)
                break
        else:
            count = max(fewest, count - 1)
    return tuple(things)


def _candidate(
    dice: Dice, kind: str, staging: Staging, aside: float, view: tuple[float, float]
) -> Placed:
    reach, distance = view
    places = staging.places
    assert isinstance(places, Scattered)
    z = distance * (places.nearest + places.deep * dice.chance() ** places.forward)
    side = dice.within(*staging.side)
    return Placed(
        kind=kind,
        x=dice.within(-aside, aside) * reach * z / distance,
        z=z,
        size=choose_size(dice, side),
        yaw=choose_yaw(dice),
    )
