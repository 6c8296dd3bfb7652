"""What a machine or a cluster lacks for this package, and what to do about it.

In: an output that is to be written, a Ray address. Out: checks, each with its remedy. Knows
`files`, `corpus` (versions that change bytes) and `engine` (Ray); and, to compile all that is
compiled, `scenes`, `manifest`, `pictures`, `stream`, `subsets` and `verify`.
"""
