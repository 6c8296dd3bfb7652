"""Plans: a YAML file and the size of a corpus in, the arms of an experiment out.

Pure but for reading the plan's file. May know `training.config`; knows neither `measure` nor
`report`. `shipped/` holds the plans that come with the package.
"""
