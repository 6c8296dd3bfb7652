"""Pictures from anywhere in, upright sRGB at the output size out; and back into JPEG and PNG.

Pure: knows neither files nor sources.
"""
