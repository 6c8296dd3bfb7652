"""The build: a manifest in, a corpus out. Plan (pure), graph (Ray), render, commit.

May know sources, proxies, annotators and corpus. The only room that imports Ray.
"""
