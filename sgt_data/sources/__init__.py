"""Where pictures and annotations come from: URLs in, raw inputs out, slice by slice.

A file for each kind of source; `registry` has them by name. May know files, pictures and
segmentation; knows neither Ray nor torch nor the format on disk nor proxies.
"""
