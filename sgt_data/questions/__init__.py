"""Visual questions about a corpus' pictures, made by rule from its index and facts."""
