"""The generative tasks, one file each: a picture and its annotation in, a target out; and back.

May know pictures, segmentation, degradations, referring and prompts; knows no sources, no Ray.
"""
