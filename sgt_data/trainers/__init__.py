"""What released trainers read: samples in a trainer's own form, and exports as folders and lists.

`bagel` and `omnigen2` feed these trainers from a corpus; `export` writes the folders and lists that
their own loaders read. May know files, pictures, corpus, subsets and stream. (The bundled trainer
is `training`.)
"""
