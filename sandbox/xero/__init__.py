"""What a Xero keeps: tenants, accounts, bank transactions, and the rules they obey."""
