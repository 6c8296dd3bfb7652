"""Measures: a trained model and a split in, numbers with their intervals out.

May know training and stream; knows neither plans nor pages.
"""
