"""Long work on shards: a manifest in, a corpus out; pictures in, tars with masks out.

`build` and `annotate_pictures` are the two verbs. They plan (`listing`, `build_plan`,
`slice_tasks`), choose an engine for a cluster (`cluster`, `engines`: this process, or Ray), run
slices through their stages (`stages`: read, annotate, finish) and follow the outcomes (`drive`).
`parallel` calls any function for many items, on threads or on Ray.

May know sources, proxies, annotators, corpus and all below them. No other room imports Ray.
"""
