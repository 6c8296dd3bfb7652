"""What a machine or a cluster lacks for this package, and what to do about it.

In: a manifest that is to be built, an output that is to be written, a Ray address. Out: checks,
each with its remedy. Knows `files`, `manifest`, `annotators` (weights), `corpus` (versions that
change bytes) and `engine` (Ray); and, to compile all that is compiled, `scenes`, `pictures`,
`stream`, `subsets` and `verify`.
"""
