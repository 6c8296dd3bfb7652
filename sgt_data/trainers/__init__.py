"""What released trainers are fed: samples in a trainer's own form, directly from a corpus.

`bagel` and `omnigen2` feed these trainers. (What their own loaders read as files is `exports`; the
bundled trainer is `training`.) May know files, pictures, corpus, subsets and stream.
"""
