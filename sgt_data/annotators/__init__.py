"""Annotators, models for what a source lacks (depth, masks, edges): pictures in, layers out.

May know files, pictures, segmentation, sources and torch; knows neither Ray nor the format on disk
nor proxies.
"""
