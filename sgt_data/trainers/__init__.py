"""What released trainers read: feeders from a stream, and exports into their folders and lists.

May know corpus, subsets and stream.
"""
