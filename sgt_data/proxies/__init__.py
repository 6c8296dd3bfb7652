"""Proxies, the generative tasks: a picture and its annotation in, a target out; and back.

May know pictures, segmentation, degradations and referring; knows neither sources nor Ray.
"""
