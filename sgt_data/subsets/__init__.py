"""Nested subsets: a corpus and a rule in; files that name keys, or copies, out.

`rule` states how keys are chosen. `ranking` orders them by a keyed hash, within the shares of
`strata`, among those that `where` lets pass: a new rule goes there. A subset is the beginning of
that order (`ranked_keys`; `ranked_shards` for whole shards), seen as a corpus (`selected_corpus`),
kept as a `subset_file` or copied (`copy_subset`). `open_corpus` opens corpora and subset files.

May know files and corpus, and the engine for copies. The engine knows no subsets.
"""
