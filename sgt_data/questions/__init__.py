"""Visual questions: what a corpus states of its pictures in; questions and answers by rule out.

`read_candidates` and `write_questions` read and write; the rest is pure. May know files, corpus,
subsets, proxies and referring; knows neither torch nor the stream.
"""
