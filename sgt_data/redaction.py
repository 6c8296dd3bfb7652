"""Keep passwords and signed queries of URLs out of files, messages and logs.

A URL may hold a key to what it names: `user:password@`, or a query such as `X-Amz-Signature=...`.
Places are no identity of a corpus, so nothing is lost where a URL is written down without them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "?..."
"""What stands for the query of a URL."""

KEPT_FIELDS = frozenset({"licence"})
"""Fields of manifests whose text is no place: a licence may be a URL with a query."""

_URL = re.compile(
    r"""(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*)://
        (?P<user>[^/\s"'`<>?#]*@)?
        (?P<place>[^\s"'`<>?]*)
        (?P<query>\?(?:[^\s"'`<>]*[^\s"'`<>),.;:])?(?:\.\.\.)?)?""",
    re.VERBOSE,
)
_PARAMETER = re.compile(
    r"""(?P<name>[?&;#](?:[\w.-]*(?:signature|credential|security-token|access_?key\w*|api_?key|token
        |password|passwd|secret)|sig|key-pair-id|policy)=)[^\s"'`<>&;]+""",
    re.VERBOSE | re.IGNORECASE,
)
_HTTP = frozenset({"http", "https"})

_KEYS_IN_ENVIRONMENT = (
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "FSSPEC_S3_SECRET", "FSSPEC_S3_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING",
    "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
)  # fmt: skip
_KEY_LENGTH_MIN = 8
"""Shorter texts are no keys, and could be words of a message."""
_hidden: list[str] = []


def hide_in_messages(key: str) -> None:
    """Keep a text out of all that this process shows from now on.

    Args:
        key: of a store; one of fewer than 8 characters is not kept out.
    """
    if len(key) >= _KEY_LENGTH_MIN and key not in _hidden:
        _hidden.append(key)


def shown_text(text: str) -> str:
    """A text for a person: without secrets of URLs, and without the keys of stores that this
    process was given or has in its environment."""
    from_environment = (os.environ.get(name, "") for name in _KEYS_IN_ENVIRONMENT)
    for key in (*_hidden, *from_environment):
        if len(key) >= _KEY_LENGTH_MIN and key in text:
            text = text.replace(key, "...")
    return without_secrets(text)


def without_secrets(text: str) -> str:
    """A text whose URLs have lost passwords and queries; any other text as it is. It depends on the
    text alone, so it may be stored.

    `https://user:word@host/x.tar?sig=1` becomes `https://host/x.tar?...`. A user without a password
    stays, save in http(s) URLs, where it may be a token. A `?` of other protocols is a glob sign,
    unless parameters follow it.
    """
    if "://" in text:
        text = _URL.sub(_shown, text)
    if "=" in text:
        text = _PARAMETER.sub(r"\g<name>...", text)
    return text


def has_secrets(text: str) -> bool:
    """Whether a text holds what `without_secrets` takes out."""
    return without_secrets(text) != text


def redacted(document: Any) -> Any:
    """Plain JSON without the secrets of its URLs; fields that are no places stay as they are."""
    if isinstance(document, str):
        return without_secrets(document)
    if isinstance(document, Mapping):
        return {
            name: value if name in KEPT_FIELDS else redacted(value)
            for name, value in document.items()
        }
    if isinstance(document, list | tuple):
        return [redacted(value) for value in document]
    return document


def fields_with_secrets(document: Any, path: str = "") -> Iterator[str]:
    """Paths of the fields of plain JSON that `redacted` would change, with dots."""
    if isinstance(document, str):
        if has_secrets(document):
            yield path
    elif isinstance(document, Mapping):
        for name, value in document.items():
            if name not in KEPT_FIELDS:
                yield from fields_with_secrets(value, f"{path}.{name}" if path else str(name))
    elif isinstance(document, list | tuple):
        for number, value in enumerate(document):
            yield from fields_with_secrets(value, f"{path}.{number}" if path else str(number))


def _shown(url: re.Match[str]) -> str:
    protocol, user, query = url["protocol"], url["user"] or "", url["query"] or ""
    if ":" in user or protocol.lower() in _HTTP:
        user = ""
    if query and (protocol.lower() in _HTTP or "=" in query):
        query = HIDDEN if len(query) > 1 else query
    return f"{protocol}://{user}{url['place']}{query}"
