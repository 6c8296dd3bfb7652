"""Pairs of segments of a target and regions of a drawing, each at most once, by overlap."""

from __future__ import annotations

from sgt_data.scoring.intervals import Floats


def greedy_matches(ious: Floats) -> list[float]:
    """IoU of the matches (row, column), the largest first, each row and column once.

    Greedy by definition; `scipy.optimize.linear_sum_assignment` gives the largest sum instead.
    """
    rows, columns = ious.nonzero()
    values = ious[rows, columns]
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    matches = []
    for place in (-values).argsort(kind="stable").tolist():
        row, column = int(rows[place]), int(columns[place])
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            matches.append(float(values[place]))
    return matches
