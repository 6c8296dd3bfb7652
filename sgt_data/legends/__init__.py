"""Legends: which colour means what, written into an instruction, and read from its text again.

Pure: seeds, categories and segments in, texts and targets out. Knows the forms of colours
(`prompts`), nouns and phrases (`referring`), and how segments are painted (`segmentation`).
"""
