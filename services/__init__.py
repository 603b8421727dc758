"""WHAT WE DO: one use case a file. Services never enqueue; they write an outbox row with their effect."""
