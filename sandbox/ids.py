"""Ids and secrets from one random source, so that a seed makes a world repeatable."""

import base64
import random
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ids:
    """Makes ids; two of them with the same seed make the same ones. `told` are its secrets, oldest first."""

    source: random.Random
    told: list[str] = field(default_factory=list)

    @classmethod
    def seeded(cls, seed: str | int | None) -> "Ids":
        """A source that a seed makes repeatable; None takes the system's entropy."""
        return cls(random.Random(seed))  # noqa: S311 - nothing here guards anything

    def guid(self) -> str:
        """A version 4 UUID in lower case."""
        return str(uuid.UUID(int=self.source.getrandbits(128), version=4))

    def secret(self) -> str:
        """43 characters that nobody guesses by accident."""
        secret = base64.urlsafe_b64encode(self.source.randbytes(32)).rstrip(b"=").decode()
        self.told.append(secret)
        return secret
