"""What is asked of a gallery: filters, order and page, from a URL or a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.value_text import counted

Order = Literal["corpus", "shuffled", "most", "fewest"]
"""Of the gallery: as in the corpus, shuffled by the seed 0, most or fewest segments first."""

TextIn = Literal["instruction", "key"]

PAGE_SIZE = 24
_TEXT_MAX = 200
_VALUES_MAX = 100
_NUMBER_MAX = 1 << 40


@dataclass(frozen=True, slots=True)
class Query:
    """What a gallery shows of one proxy.

    Attributes:
        sources, licences: samples of any of these; empty for all.
        categories: samples that hold every one of these.
        least, most: bounds of the number of segments; None for no bound.
        text: that the instruction or the key holds, in upper or lower case; empty for any.
        text_in: where the text is looked for.
        order: of the samples.
        page: number of the page, from 0 on.
    """

    sources: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    text: str = ""
    text_in: TextIn = "instruction"
    order: Order = "corpus"
    page: int = 0

    @property
    def takes_all(self) -> bool:
        """Whether every sample is shown, in the order of the corpus."""
        return not (
            self.sources or self.licences or self.categories or self.text
            or self.least is not None or self.most is not None or self.order != "corpus"
        )  # fmt: skip

    @property
    def searches_instructions(self) -> bool:
        """Whether instructions have to be read, which no index holds."""
        return bool(self.text) and self.text_in == "instruction"


def parse_query(fields: Mapping[str, Sequence[str]]) -> Query:
    """A query from the fields of a URL; fields of other names are not looked at.

    Raises:
        RequestError: a value is out of bounds; names the field.
    """

    def several(name: str) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(fields.get(name, ())))
        if len(values) > _VALUES_MAX:
            raise RequestError(f"{name}: {counted(len(values), 'value')}; allowed: {_VALUES_MAX}")
        return values

    def last(name: str, default: str) -> str:
        return (fields.get(name) or (default,))[-1]

    text = last("text", "").strip()
    if len(text) > _TEXT_MAX:
        raise RequestError(f"text: {len(text)} characters; allowed: {_TEXT_MAX}")
    checks.one_of("in", last("in", "instruction"), get_args(TextIn))
    checks.one_of("order", last("order", "corpus"), get_args(Order))
    return Query(
        several("source"),
        several("licence"),
        several("category"),
        _number("least", last("least", "")),
        _number("most", last("most", "")),
        text,
        "key" if last("in", "") == "key" else "instruction",
        _order(last("order", "corpus")),
        _number("page", last("page", "")) or 0,
    )


def _order(value: str) -> Order:
    for order in get_args(Order):
        if value == order:
            return order  # type: ignore[no-any-return]
    raise checks.wrong("order", value, ", ".join(get_args(Order)))


def _number(name: str, value: str) -> int | None:
    """A whole number from 0 on; None where the field is empty."""
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise checks.wrong(name, value, "a whole number from 0 on")
    return checks.whole_number(name, int(value), 0, _NUMBER_MAX)
