"""Where pictures and annotations come from: URLs in, raw inputs out, slice by slice.

May know files and pictures; knows neither Ray nor torch nor the format on disk.
"""
