"""The bundled trainer: a configuration, a corpus and questions in; a trained model out.

A run also leaves checkpoints and a curve of its losses; after a kill it goes on exactly. May know
files, pictures, corpus, subsets, stream and torch; for an example model around `transformers`, what
of annotators makes torchvision importable. Knows neither experiments nor manifests nor Ray. (What
released trainers read is `trainers`.)
"""
