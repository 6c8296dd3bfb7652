"""What released trainers read: samples in a trainer's own form, and exports as folders and lists.

Corpora and their samples go in; BAGEL's and OmniGen2's samples, picture folders, lists and
configuration files come out. May know files, pictures, corpus, subsets and stream.
"""
