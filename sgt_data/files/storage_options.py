"""Options of object stores (endpoint, key, profile), for this process and those that work for it.

They lie beside the work and never in it: no manifest, corpus, identity or message holds one. fsspec
applies them wherever a URL of their protocol is opened. Processes that this one starts find them in
their environment; workers of a Ray cluster get them with the work, as `StorageOptions`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import fsspec.config
from fsspec.registry import known_implementations

from sgt_data.errors import RequestError
from sgt_data.redaction import hide_in_messages
from sgt_data.suggestions import not_among

SENT_TO_ANY_HOST = frozenset({"http", "https"})
"""Protocols without options: fsspec would send a header or a cookie to every server, also to one
that an annotation file names."""
WITHOUT_STORES = frozenset({"file", "local", "memory"})

_SECRET_NAMES = re.compile(r"key|secret|token|password|passwd|credential|sas|connection", re.I)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*\.[A-Za-z_]\w*")

_in_use: dict[str, dict[str, Any]] = {}


class StorageOptions:
    """Options on their way to another process: where they arrive, they are used from then on.

    It shows nothing of what it holds.
    """

    __slots__ = ("_options",)

    def __init__(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        self._options = {protocol: dict(given) for protocol, given in options.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self._options,)

    def __repr__(self) -> str:
        return f"StorageOptions({', '.join(sorted(self._options))})"


def use_storage_options(protocol: str, **options: Any) -> None:
    """Use options for every URL of a protocol, in this process and in those that work for it.

    `use_storage_options("s3", endpoint_url="https://host", profile="me")`. The names are those of
    the protocol's fsspec backend (s3fs, gcsfs, adlfs). A later call adds to an earlier one. What
    the environment and a profile give (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `FSSPEC_S3_KEY`) needs
    no call; where both give an option, that of the call counts.

    Args:
        protocol: of the URLs, such as `s3`.
        options: values that JSON has.

    Raises:
        RequestError: the protocol is unknown or takes no options, or a value is none of JSON.
    """
    if protocol in SENT_TO_ANY_HOST:
        raise RequestError(
            f"storage options of {protocol} would go to every server that is read; put user and "
            "password into the URL of the server that asks for them"
        )
    known = sorted(set(known_implementations) - SENT_TO_ANY_HOST - WITHOUT_STORES)
    if protocol not in known:
        raise RequestError(f"storage options: protocol {not_among(protocol, known)}")
    try:
        given = json.loads(json.dumps(options))
    except (TypeError, ValueError, RecursionError):
        raise RequestError(
            f"storage options of {protocol}: a value of {', '.join(options)} is none of JSON"
        ) from None
    _hide(given)
    _in_use[protocol] = {**_in_use.get(protocol, {}), **given}
    fsspec.config.conf[protocol] = {**fsspec.config.conf.get(protocol, {}), **given}
    _tell_children(protocol, given)


def storage_options_in_use() -> StorageOptions:
    """The options of this process, for another one."""
    return StorageOptions(_in_use)


def parse_storage_options(settings: list[str]) -> dict[str, dict[str, Any]]:
    """Options by protocol, of texts `PROTOCOL.NAME=VALUE`.

    `true` and `false` are such values, and a value that begins with a brace is JSON; any other is
    text, digits too: a key may be all digits.

    Raises:
        RequestError: a text has another form; values are not shown.
    """
    options: dict[str, dict[str, Any]] = {}
    for number, setting in enumerate(settings, 1):
        name, equals, value = setting.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise RequestError(  # without the text, which may be a key
                f"--storage-option, number {number}: it is not of the form PROTOCOL.NAME=VALUE, "
                "such as s3.endpoint_url=https://host or s3.profile=me"
            )
        protocol, _, option = name.partition(".")
        options.setdefault(protocol, {})[option] = _value(value, name)
    return options


def _value(text: str, name: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RequestError(
            f"--storage-option {name}: the value begins with a brace, and is no JSON"
        ) from None


def _hide(options: Any, is_secret: bool = False) -> None:
    """Keep the texts of secret options out of messages."""
    if isinstance(options, str) and is_secret:
        hide_in_messages(options)
    elif isinstance(options, dict):
        for name, value in options.items():
            _hide(value, is_secret or bool(_SECRET_NAMES.search(name)))
    elif isinstance(options, list):
        for value in options:
            _hide(value, is_secret)


def _tell_children(protocol: str, given: Mapping[str, Any]) -> None:
    """Put options where fsspec of a process that is started from here looks for them."""
    variable = f"FSSPEC_{protocol.upper()}"
    try:
        earlier = json.loads(os.environ.get(variable, "{}"))
    except ValueError:
        earlier = {}
    earlier = earlier if isinstance(earlier, dict) else {}
    os.environ[variable] = json.dumps({**earlier, **given})
    for name in given:  # which would count more than the first variable
        os.environ.pop(f"{variable}_{name.upper()}", None)


def _arrived(options: Mapping[str, Mapping[str, Any]]) -> StorageOptions:
    """Use options that another process gave."""
    for protocol, given in options.items():
        if _in_use.get(protocol) != given:
            use_storage_options(protocol, **given)
    return StorageOptions(options)
