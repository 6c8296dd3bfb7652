"""Verification: a corpus in, findings out: every promise that can be checked on disk.

`check_corpus` is the entry; `check_shard` compares a shard's files with their receipt,
`check_samples` reads every byte of a tar and decodes every target, `check_across_shards` compares
shards with one another, `check_subset_file` a subset file with its corpus. May know files, corpus,
subsets, proxies and prompts; changes nothing.
"""
