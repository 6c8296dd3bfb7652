"""Nested subsets: a corpus and a rule in; files that name keys, or copies, out.

`rule` states how keys are chosen, and `ranked_keys` carries it out: `where` lets keys pass,
`strata` divides them, `ranking` orders them by a keyed hash. A subset is the beginning of that
order (`ranked_shards` for whole shards), seen as a corpus (`selected_corpus`), kept as a
`subset_file` or copied (`copy_subset`). `open_corpus` opens corpora and subset files alike.

May know files and corpus, and the engine for copies. The engine knows no subsets.
"""
