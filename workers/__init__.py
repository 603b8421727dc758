"""WHO RUNS IT: actors of ten lines, and what they need to stand on."""
