"""The stream: corpora, mixture and seed in, batches out, the same for every topology.

May know corpus and subsets; `order`, `mixture` and `schedule` are pure.
"""
