"""The progress display of the command line."""

from sgt_data.progress_display import ProgressDisplay as ProgressBar

LOADING = "loading packages"
"""The phase of a command that imports torch or other large packages."""

__all__ = ["LOADING", "ProgressBar"]
