"""Measures: a trained model and a held-out split in, numbers with 95 % intervals out.

May know `plan`, training, stream, corpus and proxies; knows neither `report` nor what drives runs.
"""
