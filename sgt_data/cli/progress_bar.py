"""The progress display of the command line."""

from sgt_data.progress_display import ProgressDisplay as ProgressBar

__all__ = ["ProgressBar"]
