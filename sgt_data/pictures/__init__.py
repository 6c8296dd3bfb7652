"""Pictures: bytes of any format in, upright sRGB at the output size out; and back to JPEG and PNG.

`decode_source` decodes what sources hold, from untrusted bytes; `decode_stored` what corpora hold,
for training. `suffixes` names the files that are pictures. Pure: knows no other room.
"""
