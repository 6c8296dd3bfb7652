"""The camera of a scene, and where it sees a point."""

from __future__ import annotations

import math
from typing import NamedTuple

from sgt_data.scenes.dice import Dice
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.staging import Span


class Camera(NamedTuple):
    """A pinhole camera at (0, height, 0) in world coordinates (x right, y up, z away; metres).

    Attributes:
        height: of the pinhole above the ground, metres.
        right, up, forward: unit axes of the camera in world coordinates.
        focal: focal length in units of the picture's shorter side.
    """

    height: float
    right: Vec
    up: Vec
    forward: Vec
    focal: float

    def see(self, point: Vec) -> tuple[float, float]:
        """Where a point is seen: right and up from the middle, in halves of the shorter side."""
        x, y, z = point[0], point[1] - self.height, point[2]
        right, up, forward = self.right, self.up, self.forward
        scale = 2.0 * self.focal / (forward[0] * x + forward[1] * y + forward[2] * z)
        return (
            scale * (right[0] * x + right[1] * y + right[2] * z),
            scale * (up[0] * x + up[1] * y + up[2] * z),
        )

    def meet_level(self, u: float, v: float, level: float) -> tuple[float, float]:
        """The place (x, z) `level` metres above the ground that is seen at (u, v).

        Args:
            u, v: right and up from the middle, in halves of the shorter side; below the horizon.
            level: metres, below the camera.
        """
        a, b = u / (2.0 * self.focal), v / (2.0 * self.focal)
        x, y, z = (self.forward[i] + a * self.right[i] + b * self.up[i] for i in range(3))
        reach = (level - self.height) / y
        return reach * x, reach * z


def aim_camera(dice: Dice, tilts: Span, half_angle: float, distance: float) -> Camera:
    """A camera that looks at the ground `distance` metres away.

    Args:
        dice: source of randomness.
        tilts: smallest and largest tilt downwards, degrees.
        half_angle: angle from the middle of the picture to its nearer edges, radians.
        distance: metres.
    """
    tilt = math.radians(dice.within(*tilts))
    roll = math.radians(dice.within(-2.5, 2.5))
    height = 0.35 + distance * math.tan(tilt)
    sin_t, cos_t, sin_r, cos_r = math.sin(tilt), math.cos(tilt), math.sin(roll), math.cos(roll)
    level_up = (0.0, cos_t, sin_t)
    return Camera(
        height=height,
        right=(cos_r, sin_r * level_up[1], sin_r * level_up[2]),
        up=(-sin_r, cos_r * level_up[1], cos_r * level_up[2]),
        forward=(0.0, -sin_t, cos_t),
        focal=0.5 / math.tan(half_angle),
    )
