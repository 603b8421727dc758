"""What the product does in a second, a night and a megabyte, measured against the sandbox (docs/performance.md)."""
