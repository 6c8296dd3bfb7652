"""Files of any fsspec URL: URLs in, bytes out; files are written whole or not at all.

Also: who claimed a folder, and walking through tars. Knows nothing of pictures, sources or corpora.
"""
