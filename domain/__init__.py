"""WHAT WE KNOW: pure rules and values. Nothing here reads, writes, waits or knows what time it is."""
