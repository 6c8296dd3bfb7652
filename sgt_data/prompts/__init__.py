"""Instructions: banks of lines (text files) with seed and key in, a line of a bank out.

Pure: knows neither proxies nor corpora.
"""
