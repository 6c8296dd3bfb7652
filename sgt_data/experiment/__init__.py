"""The data-scale experiments: a small unified model, its trainer, measures, tables and plots."""
