"""The command line: arguments in, results on standard output and an exit code out.

`app` has the commands by name; each group of commands has a file, with what it shows. A thin layer
over the Python functions: may know every room, and no room knows it.
"""
