"""The format on disk: layout, shard, index, receipt, header, identity, and the reader of samples.

May know files, pictures and records; knows neither Ray nor torch nor how a corpus is built.
"""
