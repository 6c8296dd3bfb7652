"""The bundled trainer: a configuration, a corpus and questions in; a trained model, checkpoints and
a curve of losses out. A run that was killed goes on exactly.

May know the stream, pictures, files and torch. Knows nothing of experiments, manifests or Ray.
"""
