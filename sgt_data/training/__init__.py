"""The bundled trainer: a configuration, a corpus and questions in; a trained model out.

A run also leaves checkpoints and a curve of its losses; after a kill it goes on exactly.

May know the stream, pictures, files and torch. Knows nothing of experiments, manifests or Ray.
"""
