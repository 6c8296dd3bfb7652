"""Phrases that name segments of a picture: made (`phrases`), and read back (`reading`)."""
