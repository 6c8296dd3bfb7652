"""Comparisons in words that claim no more than they show."""

from __future__ import annotations

from collections.abc import Sequence

from sgt_data.experiment.measure.contrast import (
    SEEDS_FOR_INTERVAL,
    SEEDS_FOR_TEST,
    Contrast,
)
from sgt_data.experiment.report.findings import Finding, Findings
from sgt_data.experiment.report.groups import Group
from sgt_data.experiment.report.quantities import EQUIVALENCE_MARGIN
from sgt_data.value_text import counted

SIGNIFICANT = 0.05
"""P-value below which a difference counts as shown."""


def finding_sentences(findings: Findings, named_primary: bool) -> list[str]:
    """One sentence for each comparison: the primary contrast first.

    Args:
        findings: all comparisons.
        named_primary: whether the plan names a primary contrast.
    """
    if findings.primary is not None:
        first = [f"Primary contrast: {contrast_sentence(findings.primary)}"]
    elif named_primary:
        first = ["Primary contrast: not known yet, for one of its arms has no result."]
    else:
        first = ["The plan names no primary contrast."]
    return [
        *first,
        *map(contrast_sentence, findings.family),
        *map(equivalence_sentence, findings.negative_controls),
    ]


def family_sentence(findings: Findings) -> str:
    """Which p-values are adjusted, and over how many tests."""
    if not findings.tests:
        return f"No other comparison has the {SEEDS_FOR_TEST} seeds that a test needs."
    untested = len(findings.family) - findings.tests
    text = (
        f"All other p-values are adjusted by Holm's method over the "
        f"{counted(findings.tests, 'test')} listed below the primary contrast: the chance of any "
        f"false claim among them is at most 5 %. Intervals are not adjusted."
    )
    if untested:
        text += f" {counted(untested, 'comparison')} with too few seeds are not tested."
    return text


def contrast_sentence(finding: Finding) -> str:
    """A comparison in words: estimate, interval, p-value, what it shows, and what weakens it."""
    name, contrast = _subject(finding), finding.contrast
    if contrast is None:
        return f"{name}: not compared, for the arms share no seed."
    text = f"{name}: {_value(finding, contrast.value)} in {finding.comparison.quantity.name}"
    return (
        f"{text} ({_evidence(finding, contrast)}): {_verdict(finding, contrast)}.{_doubts(finding)}"
    )


def equivalence_sentence(finding: Finding) -> str:
    """A comparison on a negative control in words: whether the arms are the same within a margin.

    An interval within the margin shows sameness; one that holds 0 does not.
    """
    name, contrast = _subject(finding), finding.contrast
    margin = f"±{EQUIVALENCE_MARGIN:.2f}"
    if contrast is None:
        return f"{name}: not compared, for the arms share no seed."
    text = f"{name}: {_value(finding, contrast.value)} in {finding.comparison.quantity.name}"
    text += f", a negative control ({_evidence(finding, contrast, with_p=False)})"
    if contrast.low is None or contrast.high is None or contrast.seeds < SEEDS_FOR_TEST:
        return f"{text}: {_too_few(contrast)}.{_doubts(finding)}"
    if contrast.low >= -EQUIVALENCE_MARGIN and contrast.high <= EQUIVALENCE_MARGIN:
        return f"{text}: the same within {margin}.{_doubts(finding)}"
    return f"{text}: not shown to be the same within {margin}.{_doubts(finding)}"


def shortfalls(group: Group) -> list[str]:
    """What of a group's runs weakens a comparison: no lift-off, or no plateau, in some seeds."""
    texts = []
    if group.lifted_off is not None and group.lifted_off[0] < group.lifted_off[1]:
        texts.append(f"lifted off in {_of_seeds(group.lifted_off)}")
    if group.plateaus is not None and group.plateaus[0] < group.plateaus[1]:
        texts.append(f"reached a plateau in {_of_seeds(group.plateaus)}")
    return texts


def p_text(p: float) -> str:
    """A p-value for people: three digits, and more where three would read 0.050."""
    if p < 0.001:
        return "< 0.001"
    digits = next((count for count in (3, 4, 5) if float(f"{p:.{count}f}") != SIGNIFICANT), 6)
    return f"{p:.{digits}f}"


def _of_seeds(counts: tuple[int, int]) -> str:
    return f"{counts[0]} of {counted(counts[1], 'seed')}"


def _subject(finding: Finding) -> str:
    name = finding.comparison.name
    return name[:1].upper() + name[1:] if name.startswith("slope of ") else name


def _evidence(finding: Finding, contrast: Contrast, with_p: bool = True) -> str:
    parts = []
    if contrast.low is not None and contrast.high is not None:
        low, high = (_value(finding, end) for end in (contrast.low, contrast.high))
        parts.append(f"95 % interval {low} to {high}")
    if with_p and finding.adjusted is not None:
        parts.append(f"adjusted p {_is(finding.adjusted)}")
    elif with_p and contrast.p is not None:
        parts.append(f"p {_is(contrast.p)}")
    over = counted(contrast.seeds, "seed")
    if contrast.pictures is not None:
        over += f" and {counted(contrast.pictures, 'picture')}"
    elif contrast.low is not None:
        over += ", for these pictures"
    return "; ".join([*parts, over])


def _value(finding: Finding, value: float) -> str:
    return f"{value:+.{finding.comparison.quantity.digits}f}"


def _is(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _verdict(finding: Finding, contrast: Contrast) -> str:
    p, quantity = finding.deciding_p, finding.comparison.quantity
    if p is None:
        return _too_few(contrast)
    if p < SIGNIFICANT:
        return quantity.higher if contrast.value > 0 else quantity.lower
    if contrast.p is not None and contrast.p < SIGNIFICANT:
        return f"{quantity.same} once p is adjusted"
    return quantity.same


def _too_few(contrast: Contrast) -> str:
    if contrast.seeds < SEEDS_FOR_INTERVAL:
        return (
            f"no claim, for an interval needs {SEEDS_FOR_INTERVAL} seeds and a test "
            f"{SEEDS_FOR_TEST}"
        )
    return f"no claim, for a test needs {SEEDS_FOR_TEST} seeds"


def _doubts(finding: Finding) -> str:
    """A sentence on each group whose runs fall short; empty where none does."""
    texts = [
        f"{group.label} {' and '.join(missing)}"
        for group in _distinct(finding.comparison.groups)
        if (missing := shortfalls(group))
    ]
    return f" Note: {'; '.join(texts)}." if texts else ""


def _distinct(groups: Sequence[Group]) -> list[Group]:
    return list({group.label: group for group in groups}.values())
