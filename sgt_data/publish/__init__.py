"""Publishing: a corpus in, a dataset repository of the Hugging Face Hub out, with its card.

And back: a copy without pictures and one's own pictures in, the whole corpus out.

`push` publishes, `join` puts pictures back; `left_out` is what a copy states of what it lacks. May
know corpus, subsets, sources, annotators, proxies, the manifest, engine and files; knows neither
Ray nor torch. Only `hub` imports huggingface_hub. By default no picture is published, as licences
may forbid it.
"""
