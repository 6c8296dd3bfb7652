"""Reports: results in, tables, plots and a page out.

May know plans and measures; trains and measures nothing.
"""
