"""The data-scale experiments: a small unified model, its trainer, what is measured, what is shown."""
