"""Own code of a user: files, modules and entry points that add sources, annotators and proxies.

A class is checked when it is registered, and what it does wrong later is named by its file and
line. Nothing that a corpus names is imported: only what a person names for this run. Knows no room.
"""
