"""A Xero: identity, connections and the part of the Accounting API that bank accounts need."""
