"""Sources of pictures and annotations: URLs in, raw inputs out, slice by slice.

May know files, pictures and segmentation; knows neither Ray nor torch nor the format on disk nor
proxies.
"""
