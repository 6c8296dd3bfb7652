"""The data engine of Semantic Generative Tuning: SA-1B and COCO in, WebDataset corpora of
generative proxy tasks out."""
