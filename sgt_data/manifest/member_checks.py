"""What only shows when the members of a manifest are seen together: layers, annotators, lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sgt_data.annotators.base import Annotator
from sgt_data.annotators.registry import annotator_kinds
from sgt_data.plugins.member import is_own
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.prompts.bank import built_in_banks, placeholders
from sgt_data.proxies.base import Proxy
from sgt_data.records import DEPTH_LAYERS, LAYERS, PAIR_LAYERS
from sgt_data.sources.base import Source
from sgt_data.suggestions import did_you_mean, not_among
from sgt_data.value_text import cut

_SEGMENT_LAYERS = frozenset(LAYERS) - {
    *DEPTH_LAYERS, *PAIR_LAYERS, "normals", "intrinsics", "edges",
}  # fmt: skip


def source_problem(source: Source) -> str | None:
    """What is wrong with the layers that a source declares.

    Raises:
        OwnCodeError: its own code made a mistake.
    """
    if not is_own(type(source)):
        return None
    for method in ("layers", "offers"):
        with own_code(source, method):
            layers: Any = getattr(source, method)()
        if not isinstance(layers, frozenset) or not all(isinstance(name, str) for name in layers):
            raise mistake(
                source, method, "of a manifest",
                f"it returned {cut(layers, 60)}; right is a frozenset of names of layers, such as "
                'frozenset({"instances"})',
            )  # fmt: skip
    written = type(source).annotation is not Source.annotation
    if (segments := sorted(source.layers() & _SEGMENT_LAYERS)) and not written:
        return (
            f"layers gives {', '.join(segments)}, and {type(source).__name__} has no method "
            "annotation that parses it: def annotation(self, raw: RawInput, layer: Layer) -> "
            "Annotation | None"
        )
    return None


def need_problem(proxy: Proxy, source: Source) -> str | None:
    """Why a proxy cannot be drawn for a source.

    Raises:
        OwnCodeError: own code made a mistake.
    """
    with own_code(proxy, "unmet_need", f"for source {source.name}"):
        need = proxy.unmet_need(source.offers())
    if need is not None and not isinstance(need, str):
        raise mistake(
            proxy, "unmet_need", f"for source {source.name}",
            f"it returned {cut(need, 60)}; right is None, or a sentence that says what is lacking",
        )  # fmt: skip
    return need


def annotator_problem(annotators: Sequence[Annotator], proxy: Proxy, source: Source) -> str | None:
    """What is wrong with the annotator that a proxy names for a source.

    Raises:
        OwnCodeError: own code made a mistake.
    """
    with own_code(proxy, "annotator_for", f"for source {source.name}"):
        name = proxy.annotator_for(source.offers())
    if name is None:
        return None
    layer = proxy.annotated_layer
    if layer is None:
        return (
            f"{type(proxy).__name__}.annotator_for names {cut(name, 40)}, and its "
            "annotated_layer is "
            'None: annotated_layer: ClassVar[Layer | None] = "..." says what the annotator gives'
        )
    fitting = [
        annotator.name
        for annotator in annotators
        if layer in (annotator.layer, *annotator.further_layers)
    ]
    if name in fitting:
        return None
    for annotator in annotators:
        if annotator.name == name:
            kinds = [
                kind
                for kind, each in annotator_kinds().items()
                if layer in (each.layer, *each.further_layers)
            ]
            return (
                f"{name} gives {annotator.layer}, not {layer}; annotators of these types give "
                f"{layer}: {', '.join(sorted(kinds)) or 'none'}"
            )
    given = {annotator.layer: annotator.name for annotator in annotators}
    none = f"none: annotators lists none that gives {layer}{did_you_mean(layer, given)}"
    return not_among(name, fitting) if fitting else f"found {name!r}; allowed: {none}"


def bank_problem(proxy: Proxy) -> str | None:
    """What is wrong with the lines that a proxy's instructions are chosen from.

    Raises:
        OwnCodeError: own code made a mistake.
    """
    with own_code(proxy, "bank"):
        name = proxy.bank()
    if proxy.instructions is None and not name:
        return (
            "no instructions are given: write `instructions: FILE.txt` into the manifest, or a "
            f"method `bank` of {type(proxy).__name__} that returns the name of a built-in bank"
        )
    try:
        bank = proxy.instruction_bank()
    except (FileNotFoundError, TypeError):
        given, banks = proxy.instructions or name, built_in_banks()
        near = did_you_mean(str(given), banks)
        return f"no bank is named {cut(given, 40)}; built in are {', '.join(banks)}{near}"
    wanted = proxy.needed_words()
    if not bank.own and bank.name == name and not is_own(type(proxy)):
        return None
    for split, lines in (("train", bank.train), ("held-out", bank.held_out)):
        if problem := _placeholder_problem(lines, wanted) or _line_problem(lines, proxy):
            return f"bank {bank.name}, {split} {problem}"
    return None


def _line_problem(lines: Iterable[str], proxy: Proxy) -> str | None:
    for number, line in enumerate(lines, 1):
        if problem := proxy.line_problem(line):
            return f"line {number} ({cut(line)}): {problem}"
    return None


def _placeholder_problem(lines: Iterable[str], wanted: Sequence[frozenset[str]]) -> str | None:
    known = frozenset[str]().union(*wanted)
    allowed = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
    for number, line in enumerate(lines, 1):
        given = placeholders(line)
        for name in sorted(given - known):
            near = did_you_mean(name, known)
            return f"line {number} has {{{name}}}; allowed: {allowed}{near} ({cut(line)})"
        for group in wanted:
            if not group & given:
                lacking = " or ".join(f"{{{name}}}" for name in sorted(group))
                return f"line {number} lacks {lacking}, which says what is meant ({cut(line)})"
    return None
