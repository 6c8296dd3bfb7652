"""The proxy that reverses another: its target is what is looked at, its input what is painted.

Pictures are those of the base, the other way round, so its tars hold text alone: see
`corpus.reversed_proxies`, which says how the two are joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from sgt_data.degradations.pixels import Pixels
from sgt_data.errors import BuildError
from sgt_data.names import NAME_PATTERN
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.reconstruction import ReconstructionProxy
from sgt_data.proxies.restoration_base import decoded_photo
from sgt_data.records import DrawnTarget
from sgt_data.suggestions import not_among

_PREFIX = "generate-"


class GenerateProxy(Proxy):
    """Proxy that reverses another one: a map is given, and the photo that fits it is painted.

    Target:
        The clean picture of another proxy; its input is that proxy's target. No picture is stored
        twice. Of a restoration proxy, the degraded picture; its input is the clean one.

    Examples:
        {type: generate, of: panoptic}
        {type: generate, of: depth, name: depth-to-photo}

    Attributes:
        of: name of the proxy that it reverses, which the manifest lists too.
        name: folder of the proxy in the corpus; by default `generate-` and the name of that proxy.
        sources: names of the sources that it is made for; by default those of that proxy.
    """

    tier: ClassVar[Tier] = "high"
    degrades: ClassVar[bool] = True
    target_bytes_per_pixel: ClassVar[float] = 0.0
    placeholders: ClassVar[frozenset[str]] = frozenset({"map"})

    type: Literal["generate"] = "generate"
    name: str = "generate"
    of: str = Field(pattern=NAME_PATTERN)

    _base: Proxy | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_base(cls, fields: Any) -> Any:
        return with_name(fields) if isinstance(fields, dict) else fields

    @property
    def shows_picture(self) -> bool:
        """False: its tars hold text. Whether its pictures may be passed on, its base decides."""
        return False

    @property
    def base(self) -> Proxy:
        """The proxy that it reverses; it is known in a manifest.

        Raises:
            BuildError: it is no part of a manifest.
        """
        if self._base is None:
            raise BuildError(f"proxy {self.name} is no part of a manifest, which lists {self.of}")
        return self._base

    def bound_to(self, base: Proxy) -> GenerateProxy:
        """This proxy with the base that its manifest lists, made for the sources of that."""
        bound = self.model_copy(
            update={"sources": base.sources if self.sources is None else self.sources}
        )
        bound._base = base
        return bound

    def bank(self) -> str:
        restores = self._base is not None and self._base.degrades
        return "degrade" if restores else "generate"

    def draw(self, subject: Subject) -> DrawnTarget:
        raise BuildError(f"{self.name} draws nothing: its pictures are those of {self.of}")

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> Pixels:
        """The picture, [H, W, 3] uint8 RGB.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        return decoded_photo(target, facts)


def with_name(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a `generate` proxy of a manifest, with the name that it has by default."""
    of = fields.get("of")
    if fields.get("type", "generate") != "generate" or "name" in fields or not isinstance(of, str):
        return fields
    return {**fields, "name": f"{_PREFIX}{of}"}


def base_problem(proxy: GenerateProxy, base: Proxy | None, names: list[str]) -> str | None:
    """Why a proxy cannot be reversed; None where it can.

    Args:
        proxy: the one that names it.
        base: the one that it names; None where the manifest lists none of this name.
        names: of the proxies of the manifest that are not reversed themselves.
    """
    if base is None or base is proxy:
        if not names:
            return f"found {proxy.of!r}; the manifest must list the proxy that is reversed, too"
        return f"{not_among(proxy.of, names)}; it is the name of a proxy of this manifest"
    if isinstance(base, GenerateProxy):
        return (
            f"{proxy.of} is reversed itself, from {base.of}; the reverse of a reverse is {base.of}"
        )
    if isinstance(base, ReconstructionProxy):
        return f"{proxy.of} has one picture as input and as target; it is its own reverse"
    if proxy.sources is not None and base.sources is not None:
        lacking = [name for name in proxy.sources if name not in base.sources]
        if lacking:
            return (
                f"{proxy.of} is not drawn for the source {lacking[0]}; sources of {proxy.name} can "
                f"be {', '.join(base.sources)}"
            )
    return None
