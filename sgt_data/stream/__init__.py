"""The stream: corpora, mixture and seed go in, batches come out, the same for every topology.

`order`, `mixture` and `schedule` decide which samples are in which batch, and are pure. May know
files, pictures, prompts, corpus and subsets.
"""
