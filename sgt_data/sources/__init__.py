"""Where pictures and their annotations come from. Knows neither ray nor torch nor our format."""
