"""HOW IT IS: what a process shows of itself to whoever watches it, over HTTP, beside its work."""
