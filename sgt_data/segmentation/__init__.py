"""Run-length masks -> label map -> colours. Pure functions; no files, no network, no clock."""
