"""THE PAGE: where a customer connects Xero, sees that it works, and disconnects it. Usable without JavaScript."""
