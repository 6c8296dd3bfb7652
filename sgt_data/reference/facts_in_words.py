"""What kinds need and give, in words: probed with the members that their examples make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sgt_data.annotators.base import Annotator
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.generate import GenerateProxy
from sgt_data.records import Layer
from sgt_data.reference.docstrings import Docstring
from sgt_data.reference.examples import examples_of
from sgt_data.reference.field_facts import either
from sgt_data.reference.registries import Family, is_built_in, kinds_of
from sgt_data.sources.base import Source


def _proxy_facts(kind: type[Proxy], members: Sequence[Proxy]) -> dict[str, str]:
    annotators = [
        name
        for name, annotator in kinds_of("annotators").items()
        if kind.annotated_layer in (annotator.layer, *annotator.further_layers)
    ]
    return {
        "tier": kind.tier,
        "target": Docstring.of(kind).section("Target"),
        "drawn from": _drawn_from(members),
        "annotators": ", ".join(annotators),
        "decodes to": Docstring.of(kind.decode).summary,
    }


def _source_facts(kind: type[Source], members: Sequence[Source]) -> dict[str, str]:
    layers = {layer: None for source in members for layer in sorted(source.layers())}
    return {
        "gives": ", ".join(["pictures", *layers]) + "; depth, where the field depth names a "
        "folder, and metric depth, where depth_unit says its unit",
        "places": ", ".join(name for name in kind.model_fields if name in kind.places),
    }


def _annotator_facts(kind: type[Annotator], members: Sequence[Annotator]) -> dict[str, str]:
    proxies = [
        name
        for name, proxy in kinds_of("proxies").items()
        if proxy.annotated_layer in (kind.layer, *kind.further_layers)
    ]
    libraries = {library: None for annotator in members for library in annotator.libraries()}
    extra = "; the extra [annotate] installs them" if is_built_in(kind) else ""
    return {
        "fills in": kind.layer,
        "for proxies": ", ".join(proxies),
        "needs": f"torch, {', '.join(libraries)}{extra}" if libraries else f"torch{extra}",
        "places": ", ".join(sorted(kind.places)),
    }


_FACTS: Mapping[Family, Callable[[Any, Any], dict[str, str]]] = {
    "proxies": _proxy_facts, "sources": _source_facts, "annotators": _annotator_facts,
}  # fmt: skip


def facts_in_words(family: Family, kind: type[Any], members: Sequence[Any]) -> dict[str, str]:
    """What a kind needs and gives, by the name of each fact; without facts that do not apply.

    Args:
        family: list of the manifest that it belongs to.
        kind: its class.
        members: what its examples make.
    """
    return {name: fact for name, fact in _FACTS[family](kind, members).items() if fact}


def _drawn_from(members: Sequence[Proxy]) -> str:
    """The layers that the examples are drawn from, with the examples' names where they differ."""
    names: dict[str, list[str]] = {}
    for proxy in members:
        names.setdefault(_layers_of(proxy), []).append(proxy.name)
    if len(names) <= 1:
        return next(iter(names), "")
    return "; ".join(f"{text} ({', '.join(of)})" for text, of in names.items())


def _layers_of(proxy: Proxy) -> str:
    if isinstance(proxy, GenerateProxy):
        return "another proxy of the manifest"
    if proxy.annotator_for(frozenset()):
        return f"an annotator of {proxy.annotated_layer}"
    need = proxy.unmet_need(frozenset())
    if need is None:
        return "the picture"
    fitting = [layer for layer in _known_layers() if proxy.unmet_need(frozenset({layer})) is None]
    return either(fitting) if fitting else need


def _known_layers() -> tuple[Layer, ...]:
    """Every layer that a kind of source or annotator can give."""
    of_sources = [
        layer
        for name, kind in kinds_of("sources").items()
        for example in examples_of(name, kind)
        for layer in sorted(kind.model_validate(example).offers())
    ]
    of_annotators = [kind.layer for kind in kinds_of("annotators").values()]
    return tuple(dict.fromkeys(of_sources + of_annotators))
