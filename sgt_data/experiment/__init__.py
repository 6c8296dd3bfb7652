"""Experiments: a corpus and a plan in, runs of the trainer, and a page of what they show out.

`plan`, `measure` and `report` are its rooms; the files here drive them: prepare the data, carry out
the runs, open the test split once. May know training, stream, subsets, questions and corpus.
"""
