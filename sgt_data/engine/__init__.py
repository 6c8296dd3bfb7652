"""Long work on shards: a manifest in, a corpus out; or pictures in, tars with masks out.

`build` and `annotate_pictures` are the two verbs. They list the inputs (`listing`), settle what
makes the build (`build_plan`) and what is left to do (`slice_tasks`), choose this process or Ray
(`choose_engine`), run slices through their stages (`stages`: read, annotate, finish) and follow the
outcomes (`drive`). `render` draws a shard: an input that is wrong becomes a row of the quarantine
ledger there. `parallel` calls any function for many items, on threads or on Ray.

May know files, pictures, segmentation, prompts, sources, annotators, proxies, the manifest and
corpus. No other room imports Ray; `ray_session` starts it.
"""
