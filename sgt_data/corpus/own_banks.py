"""The instruction bank of a sample: lines that `corpus.json` keeps, or a bank of this package."""

from __future__ import annotations

from pydantic import ValidationError

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.prompts.bank import Bank
from sgt_data.prompts.own_lines import OwnLines


def own_bank(header: CorpusHeader, proxy: str) -> Bank | None:
    """The lines that the manifest of a corpus gave to a proxy; None where it has a built-in bank.

    Raises:
        CorpusError: they are no such lines.
    """
    for fields in header.manifest["proxies"]:
        if fields["name"] == proxy and isinstance(fields.get("instructions"), dict):
            try:
                return OwnLines.model_validate(fields["instructions"]).as_bank()
            except ValidationError as why:
                raise CorpusError(
                    f"{CORPUS_FILE}: the instructions of {proxy} are no bank: {in_words(why)}"
                ) from why
    return None
