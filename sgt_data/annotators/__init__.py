"""Models that fill in what a source lacks: depth, masks, learned edges. Only here, and where a
trainer needs it, is torch imported; and never before a model is to be run."""
