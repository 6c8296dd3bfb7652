"""Corpora for others: in the form that released trainers read."""
