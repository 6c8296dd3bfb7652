"""Verification: a corpus in, findings out: every law that can be checked on disk.

May know corpus, subsets and proxies; reads, and changes nothing.
"""
