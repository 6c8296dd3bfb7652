"""Experiments: a corpus and a plan in, runs of the trainer, and a page of what they show out.

`plan`, `measure` and `report` are its rooms; the files here drive them: `prepare_data`, `runs`,
`split_opening` (the test split opens once). May know files, corpus, subsets, stream, questions and
training.
"""
