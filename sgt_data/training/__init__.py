"""The bundled trainer: a configuration and a stream in, a trained model out, exact after a kill.

May know the stream and torch; knows nothing of experiments.
"""
