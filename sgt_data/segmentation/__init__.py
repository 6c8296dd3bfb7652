"""Segmentation targets: masks or id maps in, label map, colours and PNG out; and back.

Pure: knows records, neither files nor sources nor proxies.
"""
