"""The world: a Qonto and a Xero over HTTP in one process, reached by URL only."""

from sandbox.server import serve

__all__ = ["serve"]
