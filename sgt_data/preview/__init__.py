"""Contact sheets: a corpus in, one picture of its samples out.

`contact_sheet` is the entry; `sheet_choice` is what is asked for, `candidates` finds the keys that
fit, `cards` reads their samples, `sheet_layout` places them (pure) and `sheet_pen` draws them. May
know files, corpus, subsets and proxies.
"""
