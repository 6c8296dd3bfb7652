"""What makes a build itself, so that a corpus stays one build.

Identity is the manifest (but for places and tolerances), the inputs by name, size and digest, and
the versions of the libraries that make the bytes. Anything else may change between two runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson
from PIL import features

from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.errors import CorpusMismatch
from sgt_data.facts import FORMAT_MINOR, FORMAT_VERSION
from sgt_data.files.claim import Difference, as_list, differences
from sgt_data.prompts.bank import Bank, load_bank
from sgt_data.redaction import redacted

_BY_PROXY = ("proxies", "banks", "makers")
_RECORDED = ("sgt-data", "numpy", "numba", "pyarrow", "ray", "fsspec", "orjson")


def codec_versions() -> dict[str, str]:
    """Versions of the libraries that turn pixels into bytes; others may make other bytes."""
    versions = {"pillow": version("pillow"), "pycocotools": version("pycocotools")}
    for name in ("jpg", "libjpeg_turbo", "zlib", "zlib_ng", "webp", "littlecms2"):
        versions[name] = str(features.version(name))
    return versions


def environment() -> dict[str, str]:
    """Versions of the other packages, for the record."""
    versions = {}
    for name in _RECORDED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def bank_digest(bank: str | Bank) -> str:
    """SHA-256 over an instruction bank's train lines; of a manifest's own bank over all of it.

    Args:
        bank: a bank, or the name of a built-in one.
    """
    bank = load_bank(bank) if isinstance(bank, str) else bank
    if bank.own:
        text = orjson.dumps([bank.name, bank.train, bank.held_out])
    else:
        text = "\n".join(bank.train).encode()
    return hashlib.sha256(text).hexdigest()


def build_identity(
    manifest: Mapping[str, Any],
    inputs: Mapping[str, Mapping[str, str]],
    banks: Mapping[str, Bank],
    makers: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that shapes a sample's bytes.

    Args:
        manifest: its identity.
        inputs: by source: digests by name.
        banks: by proxy: its instruction bank.
        makers: by proxy: libraries, annotator and further files that only it depends on.
    """
    return {
        **redacted(manifest),
        "minor": FORMAT_MINOR,
        "files": inputs,
        "makers": makers,
        "banks": {proxy: bank_digest(bank) for proxy, bank in banks.items()},
        "codecs": codec_versions(),
    }


def proxy_fingerprint(identity: Mapping[str, Any], proxy: str) -> str:
    """SHA-256 over what shapes the shards of one proxy, or of the shared inputs.

    Other proxies are no part of it, so that a proxy can be added later; but the one is that it
    reverses.
    """
    relevant = {name: value for name, value in identity.items() if name not in _BY_PROXY}
    if proxy != INPUT:
        # corpora of the first builds, which knew no annotators, have no makers
        relevant |= {name: identity[name][proxy] for name in _BY_PROXY if name in identity}
        if base := bases_of({"proxies": [identity["proxies"][proxy]]}).get(proxy):
            relevant["base"] = {
                name: identity[name][base] for name in _BY_PROXY if name in identity
            }
    text = orjson.dumps(relevant, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def of_proxies(identity: Mapping[str, Any], proxies: Collection[str]) -> dict[str, Any]:
    """The identity of a build with these proxies alone."""
    return {
        name: {proxy: part for proxy, part in value.items() if proxy in proxies}
        if name in _BY_PROXY
        else value
        for name, value in identity.items()
    }


def check_same_build(
    built: Mapping[str, Any], wanted: Mapping[str, Any], where: str, place: str = "--output"
) -> None:
    """Refuse to continue a corpus that is another build. Proxies may be added; nothing else.

    Args:
        built: identity of the corpus.
        wanted: identity that is asked for now.
        where: URL of the corpus, for the message.
        place: what a person would change to go elsewhere, for the message.

    Raises:
        CorpusMismatch: naming every field that differs, with both values.
    """
    _check_same_form(built.get("minor", 0), wanted.get("minor", 0), where, place)
    kept = of_proxies(wanted, built["proxies"].keys())
    differing = differences(built, kept)
    if differing:
        raise CorpusMismatch(
            f"{where} holds a corpus of another build; it stays one build. These differ:\n"
            f"{as_list(differing)}\nUse another {place}, or what it was begun with."
        )


def in_words(difference: Difference) -> str:
    """A difference between two works on corpora; fingerprints say nothing to a person.

    Args:
        difference: of a field; that of the corpora is `fingerprints`, by proxy, or `fingerprint`.
    """
    field, _, proxy = difference.path.removeprefix("corpus.").partition(".")
    if not field.startswith("fingerprint"):
        return str(difference)
    if difference.is_new:
        return f"the proxy {proxy} is not there, but here"
    if difference.is_gone:
        return f"the proxy {proxy} is there, but not here"
    of = f"the proxy {proxy}" if proxy else "the corpus"
    return (
        f"{of} is of another build there than here (other inputs, fields or libraries made it, or "
        "another subset)"
    )


def _check_same_form(built: int, wanted: int, where: str, place: str) -> None:
    """Refuse to mix samples whose JSON has two forms.

    Raises:
        CorpusMismatch: the two minor versions differ.
    """
    if built != wanted:
        raise CorpusMismatch(
            f"{where} holds a corpus of format {FORMAT_VERSION}.{built}; what would be added has "
            f"format {FORMAT_VERSION}.{wanted}, in which the JSON of samples has other keys, and a "
            "corpus has one form. It stays readable as it is: for training, verifying, copies and "
            f"everything else that only reads. Take another {place} for a new build, or go on with "
            "the version of sgt-data that began it"
        )
