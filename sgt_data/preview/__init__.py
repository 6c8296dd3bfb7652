"""Contact sheets: a corpus in, one picture of its samples out.

May know corpus and proxies.
"""
