"""Folders of models in the layout of `transformers`: their configuration, and how they are loaded.

Nothing in a folder is executed: no remote code, weights from safetensors alone.
"""

from __future__ import annotations

from typing import Any, cast

from sgt_data.annotators.base import Setup
from sgt_data.errors import RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut_text


def config_of(path: str, model_type: str, field: str) -> Any:
    """The configuration of a model folder.

    Args:
        path: of the folder.
        model_type: that `config.json` must name.
        field: of the manifest, for messages.

    Raises:
        RequestError: it cannot be read, or is of another type.
    """
    from transformers import AutoConfig

    try:
        config: Any = AutoConfig.from_pretrained(
            path, local_files_only=True, trust_remote_code=False
        )
        kind = config.model_type
    except (OSError, ValueError, KeyError) as why:
        raise RequestError(f"{field}: {path}/config.json cannot be read: {in_words(why)}") from why
    if kind != model_type:
        raise RequestError(f"{field}: {path} holds a model of type {kind!r}, not {model_type!r}")
    return config


def load_model(model_class: str, path: str, setup: Setup, field: str) -> Any:
    """A model on its device, ready to predict; no progress is shown.

    Args:
        model_class: name of the class in `transformers`.
        path: of the folder.
        setup: device and type of the arithmetic.
        field: of the manifest, for messages.

    Raises:
        RequestError: the weights cannot be loaded.
    """
    import torch
    import transformers
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model = getattr(transformers, model_class).from_pretrained(
            path, local_files_only=True, trust_remote_code=False, use_safetensors=True,
            dtype=getattr(torch, setup.dtype),
        )  # fmt: skip
    except Exception as why:  # safetensors raises a class of its own for a file that is none
        raise RequestError(
            f"{field}: {path} cannot be loaded: {cut_text(in_words(why), 300)}"
        ) from why
    finally:
        if shown:
            logging.enable_progress_bar()
    return cast(Any, model).to(setup.device).eval()
