"""Reports: results of runs in, tables, plots and one page out.

May know `plan` and `measure`; trains and measures nothing, and knows nothing of what drives runs.
"""
