"""Verification: a corpus in, findings out: every promise that can be checked on disk.

`corpus` is the entry; `shard` checks a shard, `across_shards` shards against one another, and
`tar_contents` decodes every target. May know corpus, subsets, proxies, prompts and files. Changes
nothing.
"""
