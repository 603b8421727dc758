"""The soak: minutes of seeded chaos over many organisations with real processes, and one verdict at its end."""
