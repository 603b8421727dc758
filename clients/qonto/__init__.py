"""Qonto's Business API v2: what we read of it, one file a resource."""
