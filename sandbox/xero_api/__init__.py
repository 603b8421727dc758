"""Xero over HTTP: identity, connections and the Accounting API, on the books in `sandbox.xero`."""
