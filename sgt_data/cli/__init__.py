"""The command line: a file per group of verbs, with what it shows. Arguments in, exit codes out.

A thin face over the Python functions; may know every room, and no room knows it.
"""
