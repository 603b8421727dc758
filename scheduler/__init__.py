"""WHEN: 23:00 on each organisation's clock, catch-up, sweeps, and the outbox relay's turn."""
