"""Pictures: bytes of any format in, upright sRGB at the output size out; and back to JPEG and PNG.

Pure: knows neither files nor sources.
"""
