"""Qonto over HTTP: its Business API v2 and its token endpoint, on the books in `sandbox.qonto`."""
