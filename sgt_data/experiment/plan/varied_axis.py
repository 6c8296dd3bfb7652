"""Values on the axis of an experiment, and their text."""

from __future__ import annotations

AxisValue = float | str | None
"""A number (such as of pictures), a label (such as `2:1`), or None for an arm off the axis."""


def axis_text(value: AxisValue) -> str:
    """An axis value as tables and plots show it: `1,024` for 1024.0, empty for None."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:,.10g}"
