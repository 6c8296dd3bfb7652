"""One bank of instructions per task, plain text, and the choice of a line."""
