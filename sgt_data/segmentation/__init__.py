"""Segmentation targets: masks or id maps in; label map, colours and PNG out; and back.

An id map has an annotation's own numbers for each pixel; a label map has ours, at the output size.
Pure: knows no other room.
"""
