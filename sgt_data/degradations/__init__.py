"""Degradations: a picture [H, W, 3] uint8 RGB in, a degraded copy of the same shape out.

Pure functions in integer arithmetic, so that every CPU makes the same bytes: random bits come from
the generator that is passed in, sums are clipped to 0 to 255. Knows no other room.
"""
