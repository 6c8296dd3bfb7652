"""Files that operating systems and notebooks leave beside pictures, and that are never inputs."""

from __future__ import annotations

_FOLDERS = frozenset({"__macosx", ".ipynb_checkpoints"})
_FILES = frozenset({"thumbs.db", ".ds_store", "desktop.ini"})
_APPLE_DOUBLE = "._"


def is_system_file(path: str) -> bool:
    """Whether a file is one that a system wrote for itself, whatever its suffix says.

    macOS writes `._x.jpg` beside `x.jpg` on foreign disks and `__MACOSX/` into zips, and
    `.DS_Store`; Windows writes `Thumbs.db` and `desktop.ini`; Jupyter copies files into
    `.ipynb_checkpoints/`.

    Args:
        path: of a file in a folder or a member of an archive; its parts are joined by `/`.
    """
    *folders, name = path.split("/")
    if any(folder.lower() in _FOLDERS for folder in folders):
        return True
    return name.startswith(_APPLE_DOUBLE) or name.lower() in _FILES
