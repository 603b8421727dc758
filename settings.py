"""The only reader of the environment: every setting, its default, and what is wrong with it when it is wrong."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

PREFIX = "QONTO_XERO_"
KEY_BYTES = 32
LEAST_PASSWORD = 16  # characters
KEY_ID_LENGTH = 40  # it stands before everything that it encrypts
ADDRESS = re.compile(r"((?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):)?(?P<port>[0-9]{1,5})")
LAST_PORT = 65_535
IN_PROCESS = "memory://"  # the broker URL of a machine on which nothing is installed


class LogFormat(StrEnum):
    """How a process writes its log."""

    AUTO = "auto"  # as text on a terminal, as JSON elsewhere
    JSON = "json"
    TEXT = "text"


class SettingsError(Exception):
    """A setting is missing or malformed; the message names its variable and says what to do."""


class Secret:
    """A string that never shows itself: `repr`, `str` and format give `***`. `reveal()` is the one way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True)
class Address:
    """Where a process listens; port 0 is whichever is free."""

    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    """Where everything is. URLs carry no trailing slash; `encryption_keys` maps key id to 32 bytes, newest first.

    `event_keys` are those under which Qonto's core signs its events; `None` takes unsigned ones. `web_url` is where a
    browser finds our page; `web_proxies` is how many proxies of ours stand before it. `operations_password` is for
    those who run it. `monitor` is where each process shows how it is; `None`: nowhere.
    """

    database_url: str
    broker_url: str
    events_broker_url: str
    event_keys: Mapping[str, bytes] | None
    encryption_keys: Mapping[str, bytes]
    xero_api_url: str
    xero_identity_url: str
    xero_login_url: str
    xero_client_id: str
    xero_client_secret: Secret
    qonto_api_url: str
    qonto_oauth_url: str
    qonto_client_id: str
    qonto_client_secret: Secret
    qonto_app_url: str
    web_url: str
    web_proxies: int
    operations_password: Secret
    clock_url: str
    failpoints: str
    monitor: Address | None
    traces_url: str
    log_format: LogFormat

    def __repr__(self) -> str:
        return "Settings(***)"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `QONTO_XERO_*` variables; each secret may also come from a file named by `..._FILE`.

    Raises SettingsError, which names the variable, for anything malformed.
    """
    read = _Reader(environment)
    broker_url = _broker_url(read, "BROKER_URL", IN_PROCESS)
    return Settings(
        database_url=read.secret("DATABASE_URL").reveal() or "sqlite:///qonto-xero.sqlite3",
        broker_url=broker_url,
        events_broker_url=_broker_url(read, "EVENTS_BROKER_URL", broker_url),
        event_keys=_event_keys(read),
        encryption_keys=_keys(read, "ENCRYPTION_KEYS"),
        xero_api_url=read.url("XERO_API_URL", "https://api.xero.com"),
        xero_identity_url=read.url("XERO_IDENTITY_URL", "https://identity.xero.com"),
        xero_login_url=read.url("XERO_LOGIN_URL", "https://login.xero.com/identity"),
        xero_client_id=read.text("XERO_CLIENT_ID", ""),
        xero_client_secret=read.secret("XERO_CLIENT_SECRET"),
        qonto_api_url=read.url("QONTO_API_URL", "https://thirdparty.qonto.com"),
        qonto_oauth_url=read.url("QONTO_OAUTH_URL", "https://oauth.qonto.com"),
        qonto_client_id=read.text("QONTO_CLIENT_ID", ""),
        qonto_client_secret=read.secret("QONTO_CLIENT_SECRET"),
        qonto_app_url=read.url("QONTO_APP_URL", "https://app.qonto.com"),
        web_url=_web_url(read),
        web_proxies=_few(read, "WEB_PROXIES"),
        operations_password=_password(read, "OPERATIONS_PASSWORD"),
        clock_url=read.url("CLOCK_URL", ""),
        failpoints=_failpoints(read),
        monitor=_monitor(read),
        traces_url=read.url("TRACES_URL", ""),
        log_format=_log_format(read),
    )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.environment.get(PREFIX + name, "").strip() or default

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        if not value:
            return value
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{name} is not a URL: {error}") from error
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not parts.hostname or parts.scheme not in {"https", "http"}:
            raise SettingsError(f"{PREFIX}{name} is not a URL such as https://example.com")
        if parts.scheme == "http" and not local:
            raise SettingsError(f"{PREFIX}{name} must use https (http is for this machine only)")
        return value

    def secret(self, name: str) -> Secret:
        path = self.text(name + "_FILE", "")
        if not path:
            return Secret(self.text(name, ""))
        try:
            return Secret(Path(path).read_text().strip())
        except OSError as error:
            raise SettingsError(f"{PREFIX}{name}_FILE names a file that cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{PREFIX}{name}_FILE names a file that is not text") from error


def _failpoints(read: _Reader) -> str:
    folder = read.text("FAILPOINTS", "")
    if folder and not read.text("CLOCK_URL", ""):
        raise SettingsError(f"{PREFIX}FAILPOINTS is for tests: it needs {PREFIX}CLOCK_URL, a sandbox's")
    return folder


def _web_url(read: _Reader) -> str:
    """As a browser writes the origin: Xero and Qonto compare it letter by letter, and so do we."""
    url = read.url("WEB_URL", "http://localhost:8080")
    parts = urlsplit(url)
    plain = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port not in {None, 80, 443} else "")
    if url != plain:
        raise SettingsError(f"{PREFIX}WEB_URL must be written as browsers do: {plain}")
    return url


def _password(read: _Reader, name: str) -> Secret:
    password = read.secret(name)
    if password and len(password.reveal()) < LEAST_PASSWORD:
        raise SettingsError(f"{PREFIX}{name} is too short: at least {LEAST_PASSWORD} characters, such as a random key")
    return password


def _few(read: _Reader, name: str) -> int:
    text = read.text(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) == 1):
        raise SettingsError(f"{PREFIX}{name} is not a number from 0 to 9")
    return int(text)


def _monitor(read: _Reader) -> Address | None:
    text = read.text("MONITOR", "127.0.0.1:0")
    if text == "off":
        return None
    found = ADDRESS.fullmatch(text)
    if not found or int(found["port"]) > LAST_PORT:
        raise SettingsError(f"{PREFIX}MONITOR is neither HOST:PORT nor PORT nor off")
    return Address((found["host"] or "127.0.0.1").strip("[]"), int(found["port"]))


def _log_format(read: _Reader) -> LogFormat:
    try:
        return LogFormat(read.text("LOG_FORMAT", LogFormat.AUTO))
    except ValueError as error:
        raise SettingsError(f"{PREFIX}LOG_FORMAT is neither auto nor json nor text") from error


def _broker_url(read: _Reader, name: str, default: str) -> str:
    url = read.secret(name).reveal() or default
    try:
        parts = urlsplit(url)
        fits = url == IN_PROCESS or (parts.scheme in {"amqp", "amqps"} and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        fits = False
    if not fits:
        raise SettingsError(f"{PREFIX}{name} is neither {IN_PROCESS} nor amqp://user:password@host:port/vhost")
    return url


def _event_keys(read: _Reader) -> dict[str, bytes] | None:
    signatures = read.text("EVENT_SIGNATURES", "required")
    if signatures not in {"required", "off"}:
        raise SettingsError(f"{PREFIX}EVENT_SIGNATURES is neither required nor off")
    return _keys(read, "EVENT_KEYS") if signatures == "required" else None


def _keys(read: _Reader, name: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in read.secret(name).reveal().split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not 0 < len(key_id) <= KEY_ID_LENGTH or key_id in keys or len(key) != KEY_BYTES:
            raise SettingsError(
                f"{PREFIX}{name} must read 'id:base64-of-32-bytes[,older-id:...]', each id once and of at most"
                f" {KEY_ID_LENGTH} characters; make one with"
                ' `python -c "import base64,os;print(base64.b64encode(os.urandom(32)).decode())"`'
            )
        keys[key_id] = key
    return keys
