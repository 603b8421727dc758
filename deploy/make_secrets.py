"""Make every secret that docker-compose.yml and deploy/kubernetes name, as one file each:

    sudo python3 deploy/make_secrets.py [FOLDER]

Nothing that is there is made again. To have one anew, delete its file, and with a URL the file of hashes that goes with
it. Said by root, each file belongs to the user of the one container that reads it; else to you, which is enough for a
test. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

OURS, SERVERS, GRAFANA = 10_001, 999, 472  # who reads: our image, PostgreSQL's and RabbitMQ's, Grafana's
DEFINITIONS = Path(__file__).with_name("rabbitmq") / "definitions.json"
JOBS, EVENTS = "qonto-xero", "qonto-events"  # RabbitMQ's vhosts

ROLES = ("migrate", "scheduler", "worker", "listener", "web", "operations", "operator")  # of PostgreSQL
JOB_USERS = ("scheduler", "worker")  # of RabbitMQ
EVENT_USERS = ("scheduler", "listener", "core")
HASHES = {"database": "database_passwords.sql", "broker": "broker_definitions.json"}
BY_A_PERSON = {
    "xero_client_secret": "the secret of your app at Xero",
    "qonto_client_secret": "the secret of your app at Qonto",
}


class MadeBefore(Exception):
    """A file of hashes is there, but not every password that it was made of."""


@dataclass(frozen=True)
class Folder:
    """Where the secrets are. `database` is `host:port/name`, `broker` `amqp://host:port`, `management` its HTTP API."""

    path: Path
    database: str
    broker: str
    management: str = "http://broker:15672"

    def fill(self) -> list[str]:
        """Make what is missing; the names of what was made. Raises MadeBefore, and then makes nothing."""
        self._check_hashes()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [name for name, reader, make in self._wanted() if self._write(name, reader, make)]

    def _check_hashes(self) -> None:
        for whose, hashes in HASHES.items():
            missing = [name for name, _, _ in self._urls() if whose in name and not (self.path / name).exists()]
            if missing and (self.path / hashes).exists():
                raise MadeBefore(f"{hashes} does not fit {', '.join(missing)}, which must be made anew: delete it too")

    def _wanted(self) -> Iterator[tuple[str, int, Callable[[], str]]]:
        """Name, reader and maker of each file, each after those that it is made of."""
        yield from self._urls()
        yield "database_superuser_password", SERVERS, password
        yield HASHES["database"], SERVERS, self._database_passwords
        yield HASHES["broker"], SERVERS, self._broker_definitions
        yield "encryption_keys", OURS, lambda: f"k1:{key()}"
        yield "event_keys", OURS, lambda: f"core-1:{key()}"
        yield "operations_password", OURS, password
        yield "grafana_password", GRAFANA, password
        for name in BY_A_PERSON:
            yield name, OURS, str

    def _urls(self) -> Iterator[tuple[str, int, Callable[[], str]]]:
        for role in ROLES:
            yield f"database_url_{role}", OURS, partial(self._database_url, role)
        for user in JOB_USERS:
            yield f"broker_url_{user}", OURS, partial(self._broker_url, user, JOBS)
        for user in EVENT_USERS:
            yield f"events_broker_url_{user}", OURS, partial(self._broker_url, user, EVENTS)
        yield "broker_url_monitoring", OURS, self._management_url

    def _management_url(self) -> str:
        """For KEDA, which asks how long the queues are."""
        scheme, _, host = self.management.partition("://")
        return f"{scheme}://monitoring:{password()}@{host}/{JOBS}"

    def _database_url(self, role: str) -> str:
        return f"postgresql://{role}:{password()}@{self.database}"

    def _broker_url(self, user: str, vhost: str) -> str:
        """Who is in both vhosts has one password."""
        scheme, _, host = self.broker.partition("://")
        known = [name for name in _files_of(user) if (self.path / name).exists()]
        return f"{scheme}://{user}:{self._password(known[0]) if known else password()}@{host}/{vhost}"

    def _password(self, name: str) -> str:
        return urlsplit((self.path / name).read_text()).password or ""

    def _database_passwords(self) -> str:
        words = {role: scram_sha_256(self._password(f"database_url_{role}"), secrets.token_bytes(16)) for role in ROLES}
        return "".join(f"ALTER ROLE {role} PASSWORD '{word}';\n" for role, word in words.items())

    def _broker_definitions(self) -> str:
        definitions = json.loads(DEFINITIONS.read_text())
        for user in definitions["users"]:
            user["hashing_algorithm"] = "rabbit_password_hashing_sha256"
            known = self._password(next(name for name in _files_of(user["name"]) if (self.path / name).exists()))
            user["password_hash"] = rabbit_hash(known, secrets.token_bytes(4))
        return json.dumps(definitions, indent=1)

    def _write(self, name: str, reader: int, make: Callable[[], str]) -> bool:
        """Whether it was missing. Nobody but its reader can read it, from its first byte on."""
        path = self.path / name
        if path.exists():
            return False
        text = make()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if os.geteuid() == 0:
            os.chown(path, reader, reader)
        path.chmod(0o400 if text else 0o600)
        return True


def _files_of(user: str) -> tuple[str, ...]:
    """Where a password of RabbitMQ's may stand; the same in each that is there."""
    return f"broker_url_{user}", f"events_broker_url_{user}"


def password() -> str:
    """Hexadecimal, so that no URL has to escape it."""
    return secrets.token_hex(24)


def key() -> str:
    """32 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def scram_sha_256(plain: str, salt: bytes, rounds: int = 4096) -> str:
    """What PostgreSQL stores of a password (RFC 5803): it lets in who knows it, and does not tell it."""
    salted = hashlib.pbkdf2_hmac("sha256", plain.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def rabbit_hash(plain: str, salt: bytes) -> str:
    """The same of RabbitMQ: four bytes of salt, and the SHA-256 of them and the password."""
    return base64.b64encode(salt + hashlib.sha256(salt + plain.encode()).digest()).decode()


def main(arguments: list[str]) -> int:
    """0 when every file is there; then what a person must still do is told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("secrets"), metavar="FOLDER")
    parser.add_argument("--database", default="database:5432/qonto_xero", help="host:port/name (default: %(default)s)")
    parser.add_argument("--broker", default="amqp://broker:5672", help="amqps://host:port (default: %(default)s)")
    parser.add_argument("--management", default="http://broker:15672", help="of RabbitMQ (default: %(default)s)")
    wishes = parser.parse_args(arguments)
    folder = Folder(wishes.folder, wishes.database, wishes.broker, wishes.management)
    try:
        made = folder.fill()
    except MadeBefore as error:
        parser.exit(1, f"{error}\n")
    sys.stdout.write(f"{folder.path}: {len(made)} made, the others were there\n")
    for name, what in BY_A_PERSON.items():
        if not (folder.path / name).read_text().strip():
            sys.stdout.write(f"still to fill in: {folder.path / name}, {what}\n")
    if os.geteuid() != 0:
        sys.stdout.write("they belong to you, not to the containers' users: on a server, say this as root\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
