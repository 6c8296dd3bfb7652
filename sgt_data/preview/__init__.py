"""Contact sheets: a corpus in, one picture of its samples out.

`contact_sheet` is the entry; `cards` chooses the samples, `sheet_layout` places them (pure) and
`sheet_pen` draws them. May know files, corpus, subsets and proxies.
"""
