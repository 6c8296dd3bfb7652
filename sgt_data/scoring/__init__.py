"""Scores of drawings: what a model drew for the samples of a corpus, decoded and measured.

A drawing is decoded as a person would read it (the nearest stated colour, clusters of colours,
levels of grey) and compared with what the sample's target was drawn from. It knows
corpora and proxies, and no trainer.
"""
