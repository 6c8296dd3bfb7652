"""Models that fill in what a source lacks: pictures in; depth, masks or edges out.

May know files, pictures, segmentation, sources and torch; knows neither Ray nor the format on disk
nor proxies.
"""
