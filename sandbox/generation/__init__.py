"""Believable and hostile data from a seed."""
