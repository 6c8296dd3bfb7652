"""What there is: the kinds of proxies, sources and annotators, the palettes, and their fields.

Everything is read from the models and their docstrings, for people (`kinds`, `palette_facts`), for
editors (`json_schemas`) and as pictures (`example_picture`). May know `manifest` and all that it
knows, `segmentation`, `prompts`, `scenes`, `corpus`, `subsets`, `engine` and `preview`; of
`training` and `experiment.plan` the models of their files.
"""
