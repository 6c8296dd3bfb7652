"""Distances and surface normals as colours, and back; normals of metric depth.

Pure: maps of numbers in, pictures out, and the other way round. Knows `pictures` and how stored
pixels are sampled (`segmentation`).
"""
