"""Kinds of proxies, sources and annotators: what each is, takes, gives, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.preview.cards import tier_rank
from sgt_data.proxies.base import Proxy
from sgt_data.reference.docstrings import Docstring
from sgt_data.reference.examples import examples_of
from sgt_data.reference.facts_in_words import facts_in_words
from sgt_data.reference.field_facts import FieldFacts, as_yaml, field_facts
from sgt_data.reference.json_schemas import kind_schema
from sgt_data.reference.registries import (
    FAMILIES,
    Family,
    base_of,
    broken_kinds,
    is_built_in,
    kinds_of,
)
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

_LINES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class BankFacts:
    """An instruction bank of a proxy.

    Attributes:
        name: of the bank.
        train: number of the lines that corpora use.
        held_out: number of the lines for evaluation alone.
        lines: the first of the lines that corpora use.
    """

    name: str
    train: int
    held_out: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindFacts:
    """A kind of proxy, source or annotator.

    Attributes:
        family: list of the manifest that it belongs to.
        type: by which a manifest names it.
        summary: what it is, in a sentence.
        text: what else its docstring says.
        package: Python package that has it, or the path of an own file.
        facts: by name: tier, target and so on, in words.
        fields: those of an entry in a manifest, without `type`.
        examples: entries that validate.
        banks: instruction banks, of a proxy.
        docs: file in the repository that describes it.
    """

    family: Family
    type: str
    summary: str
    text: str
    package: str
    facts: Mapping[str, str]
    fields: tuple[FieldFacts, ...]
    examples: tuple[Mapping[str, Any], ...]
    banks: tuple[BankFacts, ...]
    docs: str

    @property
    def entries(self) -> tuple[str, ...]:
        """The examples as lines of YAML."""
        return tuple(as_yaml(example) for example in self.examples)


def list_kinds(family: Family) -> tuple[KindFacts, ...]:
    """All kinds of a family that can be used; proxies by tier, the built-in ones first.

    Args:
        family: `proxies`, `sources` or `annotators`.

    Raises:
        RequestError: there is no such family.
    """
    checks.one_of("family", family, FAMILIES)
    kinds = [_facts(family, name, kind) for name, kind in kinds_of(family).items()]
    return tuple(sorted(kinds, key=lambda facts: tier_rank(facts.facts.get("tier", ""))))


def describe_proxy(name: str) -> KindFacts:
    """A kind of proxy.

    Args:
        name: its `type`, or the name that an example of it has (`panoptic`).

    Raises:
        RequestError: there is none of this name; names those that there are.
    """
    return describe_kind("proxies", name)


def describe_source(name: str) -> KindFacts:
    """A kind of source.

    Args:
        name: its `type`, or the name that an example of it has.

    Raises:
        RequestError: there is none of this name; names those that there are.
    """
    return describe_kind("sources", name)


def describe_annotator(name: str) -> KindFacts:
    """A kind of annotator.

    Args:
        name: its `type`, or the name that an example of it has.

    Raises:
        RequestError: there is none of this name; names those that there are.
    """
    return describe_kind("annotators", name)


def describe_kind(family: Family, name: str) -> KindFacts:
    """A kind of a family.

    Args:
        family: list of a manifest.
        name: its `type`, or the name that an example of it has.

    Raises:
        RequestError: there is none of this name, or its plug-in cannot be imported.
    """
    kinds = kinds_of(family)
    by_name = {
        example: type_name
        for type_name, kind in reversed(kinds.items())
        for example in _names_of(type_name, kind)
    } | {type_name: type_name for type_name in kinds}
    if name in by_name:
        return _facts(family, by_name[name], kinds[by_name[name]])
    broken = broken_kinds(family)
    if name in broken:
        raise RequestError(f"{family}: {name}: {broken[name]}")
    near = did_you_mean(name, [*by_name, *broken])
    raise RequestError(f"{family}: found {cut(name)}; allowed: {', '.join(kinds)}{near}")


def members_of(family: Family, facts: KindFacts) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Each example of a kind, and the member that it makes."""
    kind = kinds_of(family)[facts.type]
    for example in facts.examples:
        yield example, kind.model_validate(example)


def _names_of(type_name: str, kind: type[Any]) -> list[str]:
    """The names that a kind's examples have, its default name among them."""
    default = kind.model_fields["name"].get_default()
    return [str(example.get("name", default)) for example in examples_of(type_name, kind)]


def _facts(family: Family, name: str, kind: type[Any]) -> KindFacts:
    documented = Docstring.of(kind)
    schema, definitions = kind_schema(family, name, kind)
    fields = field_facts(schema, definitions, tuple(base_of(family).model_fields))
    examples = examples_of(name, kind)
    members = [kind.model_validate(example) for example in examples]
    return KindFacts(
        family,
        name,
        documented.summary,
        documented.text,
        kind.own_file.path if kind.own_file else kind.__module__.partition(".")[0],
        facts_in_words(family, kind, members),
        tuple(sorted(fields, key=lambda field: (field.of_base, not field.required))),
        examples,
        tuple(_banks(members)) if family == "proxies" else (),
        f"docs/reference/{family}.md#{name}" if is_built_in(kind) else "",
    )


def _banks(members: Sequence[Proxy]) -> Iterator[BankFacts]:
    """The banks of the proxies that the examples make, each once."""
    seen = set()
    for proxy in members:
        if not (proxy.instructions or proxy.bank_for(None)):
            continue  # a plug-in without lines of its own: a manifest gives them
        bank = proxy.instruction_bank()
        if bank.name in seen:
            continue
        seen.add(bank.name)
        yield BankFacts(bank.name, len(bank.train), len(bank.held_out), bank.train[:_LINES_SHOWN])
