"""Measures: a trained model and a held-out split in, numbers with 95 % intervals out.

Accuracy of answers, linear probes, fidelity of drawn targets, attention, the step of lift-off.
May know `plan`, files, pictures, segmentation, corpus, subsets, proxies, stream and training; knows
neither `report` nor what drives runs.
"""
