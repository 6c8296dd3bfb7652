"""Ways to spoil a picture: [H, W, 3] uint8 RGB in, the same shape out, the input untouched.

Pure functions with integer arithmetic, so that every CPU makes the same bytes. Random bits come
from the generator that is passed in; sums are clipped to 0..255, never wrapped.
"""
