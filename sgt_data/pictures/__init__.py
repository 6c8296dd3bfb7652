"""Pictures from anywhere -> upright sRGB at the output size."""
