"""A corpus in a browser: a local server that reads indexes and byte ranges, or one HTML file.

`Collection` is what the page shows: `browsed_corpus` of a corpus or subset, `browsed_export` of an
export. `sample_table` holds its columns and `query` says what is asked of them (both pure);
`gradual_work` reads on only while somebody asks. `serve` answers a browser, `report_file` writes
the same page with its data in it; the page itself is in `page/`.

May know files, pictures, corpus, subsets, proxies, and of exports their layouts. Knows
neither Ray nor torch.
"""
