"""The generative tasks: a picture and its annotation in, a target out; and a target decoded back.

A file for each proxy; `registry` has them by name; `decoding` takes any target back. May know
pictures, segmentation, degradations, referring and prompts; knows neither sources nor Ray.
"""
