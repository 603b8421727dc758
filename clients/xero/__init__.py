"""Xero's Accounting API 2.0: what we use of it, one file a resource."""
