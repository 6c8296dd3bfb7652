"""Phrases that name segments: a picture's segments in; phrases out, with the segments they mean.

`phrases` makes phrases. `referents` reads them without knowing how they were made, as the check.
Pure: knows no other room and reads no files.
"""
