"""From a manifest to a corpus: plan, render, commit, and the Ray graph that does it at scale."""
