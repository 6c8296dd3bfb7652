"""Exports: a corpus as the files, lists and configurations that a trainer's own loaders read.

`export` does the work that all formats share, `formats` is their registry, and a format is a file:
see `export_format`. Pictures are the corpus' own bytes. May know files,
pictures, corpus, subsets, for lists of questions stream, and for a trainer's own words trainers.
"""
