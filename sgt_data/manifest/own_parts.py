"""What a manifest brings of its own: plug-ins are registered, and instruction files are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgt_data.errors import ManifestError, PluginError, RequestError
from sgt_data.files.urls import is_local
from sgt_data.foreign_errors import in_words
from sgt_data.manifest.instruction_files import read_instructions
from sgt_data.manifest.manifest_file import ManifestFile
from sgt_data.manifest.places import below_folder
from sgt_data.plugins.registered import check_is_local, is_file, use_plugins
from sgt_data.value_text import cut_text


def add_own_parts(file: ManifestFile) -> None:
    """Register the plug-ins of a manifest's file, and read the lines of its own instructions.

    Args:
        file: the paths of plug-ins and the instructions are changed in its data.

    Raises:
        ManifestError: a file of instructions cannot be used.
        PluginError: a plug-in cannot be used, or the manifest lies elsewhere and names some.
    """
    data, path, folder = file.data, file.where, file.folder
    if plugins := listed_plugins(data.get("plugins")):
        if not is_local(path):
            raise PluginError(
                f"{path}: plugins: code is run for manifests of this machine alone; copy the "
                f"manifest and {cut_text(', '.join(map(str, plugins)), 80)}, and read them first"
            )
        for plugin in plugins:
            check_is_local(plugin, "plugins")
        data["plugins"] = [
            below_folder(folder, plugin) if is_file(plugin) else plugin for plugin in plugins
        ]
        use_plugins(data["plugins"])
    if isinstance(data.get("proxies"), list):
        problems: list[str] = []
        data["proxies"] = with_lines(data["proxies"], folder, problems)
        if problems:
            raise ManifestError("\n".join([f"{path} cannot be used:", *problems]))


def listed_plugins(plugins: Any) -> list[Any]:
    """The plug-ins of a manifest; what is no list is refused where all fields are validated."""
    return list(plugins) if isinstance(plugins, list | tuple) else []


def with_lines(proxies: Sequence[Any], folder: str, problems: list[str]) -> list[Any]:
    """The entries of proxies, with the lines of their own instructions in place of files.

    Args:
        proxies: as the manifest has them.
        folder: in which relative paths lie; empty for the current one.
        problems: takes what is wrong with a file.
    """
    entries = []
    for index, entry in enumerate(proxies):
        if isinstance(entry, dict) and entry.get("instructions") is not None:
            try:
                entry = {**entry, "instructions": read_instructions(entry["instructions"], folder)}
            except (RequestError, ValueError) as why:
                problems.append(f"  proxies.{index}.instructions: {in_words(why)}")
                entry = {name: value for name, value in entry.items() if name != "instructions"}
        entries.append(entry)
    return entries
