"""The format on disk: samples in, shards out; and back, each byte checked.

`shard` makes a shard's files, `receipt` commits them, `paths` says where they lie, `index` and
`header` list them, `identity` says what makes a corpus one build. `committed_shards` reads all
receipts of a corpus, with few requests where `rolled_receipts` has them. `opened_corpus` is what
`open_corpus` gives; `sample_reader` reads every stored sample, and compares it with its checksum.

May know files, pictures and prompts; knows neither Ray nor torch nor how a corpus is built.
"""
