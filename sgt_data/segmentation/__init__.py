"""Segmentation targets: run-length masks in, label map and colours out; and back.

Pure: knows neither files nor sources nor proxies.
"""
