"""Settings: each one read from its variable, each mistake named by it, and no secret ever shown."""

from __future__ import annotations

import base64
import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import Address, LogFormat, Secret, Settings, SettingsError, read_settings

KEY = bytes(range(32))
OLD_KEY = bytes(32)
ENCODED, OLD_ENCODED = base64.b64encode(KEY).decode(), base64.b64encode(OLD_KEY).decode()

URLS = {
    "QONTO_XERO_XERO_API_URL": "xero_api_url",
    "QONTO_XERO_XERO_IDENTITY_URL": "xero_identity_url",
    "QONTO_XERO_XERO_LOGIN_URL": "xero_login_url",
    "QONTO_XERO_QONTO_API_URL": "qonto_api_url",
    "QONTO_XERO_QONTO_OAUTH_URL": "qonto_oauth_url",
    "QONTO_XERO_QONTO_APP_URL": "qonto_app_url",
    "QONTO_XERO_CLOCK_URL": "clock_url",
    "QONTO_XERO_TRACES_URL": "traces_url",
}
SECRETS = {
    "QONTO_XERO_XERO_CLIENT_SECRET": "xero_client_secret",
    "QONTO_XERO_QONTO_CLIENT_SECRET": "qonto_client_secret",
    "QONTO_XERO_OPERATIONS_PASSWORD": "operations_password",
}
RINGS = {
    "QONTO_XERO_ENCRYPTION_KEYS": "encryption_keys",
    "QONTO_XERO_EVENT_KEYS": "event_keys",
}
BROKERS = {
    "QONTO_XERO_BROKER_URL": "broker_url",
    "QONTO_XERO_EVENTS_BROKER_URL": "events_broker_url",
}


def test_with_an_empty_environment_everything_runs_on_this_machine_against_the_real_apis() -> None:
    settings = read_settings({})

    assert settings.database_url == "sqlite:///qonto-xero.sqlite3"
    assert settings.broker_url == settings.events_broker_url == "memory://"
    assert settings.xero_api_url == "https://api.xero.com"
    assert settings.xero_identity_url == "https://identity.xero.com"
    assert settings.xero_login_url == "https://login.xero.com/identity"
    assert (settings.web_url, settings.web_proxies) == ("http://localhost:8080", 0)
    assert settings.qonto_api_url == "https://thirdparty.qonto.com"
    assert settings.qonto_oauth_url == "https://oauth.qonto.com"
    assert settings.qonto_app_url == "https://app.qonto.com"
    assert settings.clock_url == settings.traces_url == ""
    assert (settings.monitor, settings.log_format) == (Address("127.0.0.1", 0), LogFormat.AUTO)
    assert settings.encryption_keys == settings.event_keys == {}
    assert not settings.xero_client_secret


def test_a_variable_that_is_set_to_nothing_counts_as_not_set() -> None:
    assert read_settings({"QONTO_XERO_DATABASE_URL": " ", "QONTO_XERO_XERO_API_URL": ""}) == read_settings({})


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("QONTO_XERO_DATABASE_URL", "database_url"),
        ("QONTO_XERO_XERO_CLIENT_ID", "xero_client_id"),
        ("QONTO_XERO_QONTO_CLIENT_ID", "qonto_client_id"),
    ],
)
def test_each_text_comes_from_its_own_variable(variable: str, setting: str) -> None:
    assert getattr(read_settings({variable: " some text "}), setting) == "some text"


@pytest.mark.parametrize(("variable", "setting"), URLS.items())
def test_each_url_comes_from_its_own_variable_without_its_trailing_slash(variable: str, setting: str) -> None:
    assert getattr(read_settings({variable: "https://example.com/there/"}), setting) == "https://example.com/there"


@pytest.mark.parametrize("variable", URLS)
@pytest.mark.parametrize(
    "value",
    ["example.com", "ftp://example.com", "https://", "http://example.com", "https://[::1", "https://example.com:http"],
)
def test_a_url_that_is_none_or_not_safe_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: value})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_for_this_machine_only(host: str) -> None:
    assert read_settings({"QONTO_XERO_XERO_API_URL": f"http://{host}:8080"}).xero_api_url == f"http://{host}:8080"


@pytest.mark.parametrize(("variable", "setting"), SECRETS.items())
def test_each_secret_comes_from_its_own_variable_or_from_a_file(variable: str, setting: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("read from a file\n")

    from_environment = read_settings({variable: "from the environment"})
    from_file = read_settings({variable: "from the environment", variable + "_FILE": str(tmp_path / "secret")})

    assert getattr(from_environment, setting) == Secret("from the environment")
    assert getattr(from_file, setting) == Secret("read from a file")


@pytest.mark.parametrize("variable", [*SECRETS, *RINGS, "QONTO_XERO_EVENTS_BROKER_URL"])
def test_a_secret_file_that_cannot_be_read_is_refused_by_the_name_of_its_variable(
    variable: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=f"{variable}_FILE.*No such file"):
        read_settings({variable + "_FILE": str(tmp_path / "missing")})


def test_a_secret_file_that_is_no_text_is_refused_by_the_name_of_its_variable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="QONTO_XERO_XERO_CLIENT_SECRET_FILE"):
        read_settings({"QONTO_XERO_XERO_CLIENT_SECRET_FILE": str(tmp_path / "secret")})


@pytest.mark.parametrize(("variable", "setting"), RINGS.items())
def test_each_key_ring_is_kept_newest_first_and_may_stand_in_a_file(
    variable: str, setting: str, tmp_path: Path
) -> None:
    ring = f" new:{ENCODED}, old:{OLD_ENCODED} ,"
    (tmp_path / "keys").write_text(ring + "\n")

    from_environment = getattr(read_settings({variable: ring}), setting)
    from_file = getattr(read_settings({variable + "_FILE": str(tmp_path / "keys")}), setting)

    assert list(from_environment.items()) == list(from_file.items()) == [("new", KEY), ("old", OLD_KEY)]


@pytest.mark.parametrize("variable", RINGS)
@pytest.mark.parametrize(
    "ring",
    [
        ENCODED,
        f":{ENCODED}",
        "new:",
        "new:not base64!",
        "new:" + base64.b64encode(KEY[:31]).decode(),
        f"new:{ENCODED},old",
        f"new:{ENCODED},new:{OLD_ENCODED}",
        f"new:{ENCODED},old:é",
        f"{'x' * 41}:{ENCODED}",
    ],
)
def test_a_malformed_key_ring_is_refused_by_name_without_showing_a_key(variable: str, ring: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refusal:
        read_settings({variable: ring})

    assert ENCODED not in str(refusal.value)


def test_only_whoever_says_so_takes_unsigned_events() -> None:
    signatures, keys = "QONTO_XERO_EVENT_SIGNATURES", {"QONTO_XERO_EVENT_KEYS": f"new:{ENCODED}"}

    assert read_settings(keys).event_keys == read_settings({signatures: "required"} | keys).event_keys == {"new": KEY}
    assert read_settings({signatures: "off"} | keys).event_keys is None


@pytest.mark.parametrize("value", ["Off", "no", "0", "optional"])
def test_what_is_neither_a_yes_nor_a_no_to_unsigned_events_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_EVENT_SIGNATURES"):
        read_settings({"QONTO_XERO_EVENT_SIGNATURES": value})


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hunter2")

    shown = [repr(secret), str(secret), f"{secret}", "{}".format(secret), "%s %r" % (secret, secret), repr([secret])]  # noqa: UP031, UP032

    assert not [text for text in shown if "hunter2" in text]
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == "hunter2"


def test_a_secret_refuses_a_format_that_would_have_to_read_it() -> None:
    with pytest.raises(TypeError) as refusal:
        f"{Secret('hunter2'):>20}"

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_carried_elsewhere(carry: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        carry(Secret("hunter2"))


def test_secrets_are_equal_by_their_text_and_empty_ones_count_as_none() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


def test_settings_show_nothing_of_themselves() -> None:
    settings = read_settings(
        {
            "QONTO_XERO_DATABASE_URL": "postgresql://u:hunter2@db/x",
            "QONTO_XERO_ENCRYPTION_KEYS": f"new:{ENCODED}",
            "QONTO_XERO_XERO_CLIENT_SECRET": "hunter2",
        }
    )

    assert isinstance(settings, Settings)
    assert repr(settings) == str(settings) == f"{settings}" == "Settings(***)"


@pytest.mark.parametrize("variable", BROKERS)
@pytest.mark.parametrize("url", ["redis://host", "amqp://", "amqp://user:hunter2@host:port/", "some text"])
def test_a_broker_url_that_makes_no_sense_is_refused_by_name_and_not_shown(variable: str, url: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refusal:
        read_settings({variable: url})

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(("variable", "setting"), BROKERS.items())
@pytest.mark.parametrize("url", ["memory://", "amqp://user:secret@host:5672/vhost", "amqps://host/"])
def test_a_broker_url_of_a_known_kind_is_taken_as_it_is(variable: str, setting: str, url: str) -> None:
    assert getattr(read_settings({variable: url}), setting) == url


def test_events_come_by_our_own_broker_unless_another_is_named() -> None:
    ours = {"QONTO_XERO_BROKER_URL": "amqp://ours/"}

    assert read_settings(ours).events_broker_url == "amqp://ours/"
    both = read_settings(ours | {"QONTO_XERO_EVENTS_BROKER_URL": "amqp://theirs/"})
    assert (both.broker_url, both.events_broker_url) == ("amqp://ours/", "amqp://theirs/")


def test_failpoints_can_only_be_armed_beside_a_sandbox() -> None:
    environment = {"QONTO_XERO_FAILPOINTS": "/tmp/failpoints"}

    with pytest.raises(SettingsError, match="CLOCK_URL"):
        read_settings(environment)

    assert read_settings(environment | {"QONTO_XERO_CLOCK_URL": "http://127.0.0.1:1"}).failpoints == "/tmp/failpoints"


def test_how_many_proxies_stand_before_the_page_is_a_digit() -> None:
    assert read_settings({"QONTO_XERO_WEB_PROXIES": "2"}).web_proxies == 2
    for malformed in ("-1", "many", "10", "1.5", "²"):
        with pytest.raises(SettingsError, match="QONTO_XERO_WEB_PROXIES is not a number from 0 to 9"):
            read_settings({"QONTO_XERO_WEB_PROXIES": malformed})


def test_a_password_that_could_be_guessed_is_refused_by_name_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_OPERATIONS_PASSWORD is too short") as refusal:
        read_settings({"QONTO_XERO_OPERATIONS_PASSWORD": "fifteen letters"})

    assert "fifteen" not in str(refusal.value)
    assert read_settings({"QONTO_XERO_OPERATIONS_PASSWORD": "sixteen letters."}).operations_password


@pytest.mark.parametrize(
    "written",
    [
        "https://Xero.Example.com",
        "https://xero.example.com:443",
        "https://xero.example.com/page",
        "http://localhost:80",
    ],
)
def test_where_the_page_is_found_is_written_as_browsers_write_it(written: str) -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_WEB_URL must be written as browsers do"):
        read_settings({"QONTO_XERO_WEB_URL": written})
    assert read_settings({"QONTO_XERO_WEB_URL": "https://xero.example.com/"}).web_url == "https://xero.example.com"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("9090", Address("127.0.0.1", 9090)),
        ("0.0.0.0:9090", Address("0.0.0.0", 9090)),
        ("worker-1.internal:0", Address("worker-1.internal", 0)),
        ("[::1]:65535", Address("::1", 65535)),
        ("off", None),
    ],
)
def test_a_process_shows_how_it_is_where_it_is_told_to(written: str, address: Address | None) -> None:
    assert read_settings({"QONTO_XERO_MONITOR": written}).monitor == address


@pytest.mark.parametrize(
    "written", [":9090", "localhost", "localhost:", "65536", "http://localhost:9090", "::1:9090", "a:b", "on", "９０"]
)
def test_an_address_that_is_none_is_refused_by_the_name_of_its_variable(written: str) -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_MONITOR"):
        read_settings({"QONTO_XERO_MONITOR": written})


def test_the_log_is_written_in_one_of_three_ways() -> None:
    assert read_settings({"QONTO_XERO_LOG_FORMAT": "json"}).log_format is LogFormat.JSON
    with pytest.raises(SettingsError, match="QONTO_XERO_LOG_FORMAT"):
        read_settings({"QONTO_XERO_LOG_FORMAT": "xml"})
