"""What people, time and misfortune do: the README lists every call."""
