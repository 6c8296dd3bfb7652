"""What to build: a YAML manifest, read, typed, validated, resolved.

`manifest_file` reads the text, `places` says where its relative paths lead, `own_parts` adds the
plug-ins and `instruction_files` the instruction lines that it brings, `member_checks` finds what
shows only when sources, annotators and proxies are seen together. `manifest` is the result.

May know files, pictures, prompts, sources, annotators and proxies; knows neither corpora nor Ray.
"""
