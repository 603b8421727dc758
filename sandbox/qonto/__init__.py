"""What a Qonto keeps: organisations, bank accounts, transactions."""
