"""Visual questions: a corpus' facts in, questions and answers in LLaVA's form out, by rule.

May know corpus and proxies; knows neither torch nor the stream.
"""
