"""Publishing: a corpus in, a dataset repository of the Hugging Face Hub out, with its card.

May know corpus, subsets, proxies and files; knows neither Ray nor torch. Only `hub` imports
huggingface_hub. By default no picture is published, as licences may forbid it.
"""
