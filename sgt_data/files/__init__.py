"""Files anywhere that fsspec reaches: URLs in, bytes out; written whole or not at all.

Knows nothing of pictures, sources or corpora.
"""
