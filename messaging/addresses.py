"""The address of RabbitMQ: safe defaults in, password out."""

from urllib.parse import parse_qsl, urlencode, urlsplit

AMQP_PORTS = {"amqp": 5672, "amqps": 5671}

# pika's own defaults wait for ever on a blocked broker and try to connect once.
DEFAULTS = {
    "heartbeat": "10",  # seconds; a dead peer is noticed after two of them
    "blocked_connection_timeout": "30",  # seconds that a broker short of disk or memory may hold a publisher
    "connection_attempts": "5",
    "retry_delay": "2",  # seconds between them
    "socket_timeout": "5",  # seconds for each to answer
}


def with_defaults(url: str) -> str:
    """`url` with every parameter of `DEFAULTS` that it does not set itself."""
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**DEFAULTS, **dict(parse_qsl(parts.query))})).geturl()


def host_and_port(url: str) -> str:
    """`host:port` of `url`: what an error may name, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or AMQP_PORTS.get(parts.scheme, AMQP_PORTS['amqp'])}"
