"""Visual questions: a corpus's facts in; questions and answers in LLaVA's form out, made by rules.

May know corpus, subsets, proxies, referring and files. Knows neither torch nor the stream. Only
`reading` and `write` touch files; the rest is pure.
"""
