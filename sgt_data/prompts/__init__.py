"""Instructions: banks of lines as text files; seed and key in, one line out.

Pure: knows neither proxies nor corpora.
"""
