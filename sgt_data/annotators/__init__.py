"""Models that fill in what a source lacks: depth, masks, edges. Pictures in, layers out.

May know files, pictures, sources and torch; knows neither Ray nor the format on disk nor proxies.
"""
