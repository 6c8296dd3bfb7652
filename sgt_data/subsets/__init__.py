"""Subsets: a corpus and a rule in, nested subsets out, as files that name keys or as copies.

May know corpus; copies of large subsets run on the engine.
"""
