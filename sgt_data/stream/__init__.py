"""The stream: corpora, mixture and seed in; batches out, the same for any ranks and workers.

`mixture` says how many samples of each component a batch has, `order` which samples of a component
come next, `schedule` puts both together: pure functions of seed and step. May know files, pictures,
prompts, corpus and subsets.
"""
