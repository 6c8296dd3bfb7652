"""Visual questions by rules from what a corpus states of its pictures, and captions of pictures.

`read_candidates`, `write_questions`, `match_captions` and `write_captions` read and write; the rest
is pure. May know files, corpus, subsets, proxies and referring; knows neither torch nor the stream.
"""
