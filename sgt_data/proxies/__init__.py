"""The generative tasks: picture + instruction -> target picture. One file per proxy."""
