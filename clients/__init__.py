"""WHO WE TALK TO: other people's APIs, one folder each, errors translated once at this edge."""
