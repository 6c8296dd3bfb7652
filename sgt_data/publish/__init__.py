"""Publishing: a corpus in, a dataset repository of the Hugging Face Hub out, with its card.

May know corpus and subsets; only `hub` imports huggingface_hub.
"""
