"""Nested subsets: a corpus and a rule in; files that name keys, or copies, out.

A `rule` ranks all keys (`population`, `strata`, `where`, `ranking`); a subset is the beginning of
that order (`ranked_keys`, or `ranked_shards` for whole shards), seen as a corpus
(`selected_corpus`), kept as a `subset_file` or copied (`copy_subset`). `opening` opens corpora and
subset files alike.

May know corpus; copies run on the engine's threads or Ray tasks. The engine knows no subsets.
"""
