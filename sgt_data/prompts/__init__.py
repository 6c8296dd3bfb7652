"""Instructions: seed and key in, one line out of a bank of lines (text files in this folder).

Knows no other room.
"""
