"""Experiments: a plan in, runs of the trainer, and at the end a page of what they show.

May know training, stream, subsets and questions. `plan`, `measure` and `report` are its rooms.
"""
