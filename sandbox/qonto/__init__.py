"""A Qonto: its Business API v2 and its token endpoint."""
