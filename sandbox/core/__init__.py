"""What Qonto's core tells whoever listens: events about bank accounts, on RabbitMQ."""
