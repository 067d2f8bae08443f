"""What is needed to deploy fits together: image, composition, locked packages, settings."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from typer.main import get_command

from bot.cli import app
from bot.settings import Settings
from storage.embedded.servers import POSTGRES_MAJOR
from tests.support.checkout import CHECKOUT

VARIABLES = {name.upper() for name in Settings.model_fields}
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
OURS = ("bot", "worker")


def docker_instructions() -> list[tuple[str, str]]:
    """The lines of the Dockerfile, continued ones joined, comments gone."""
    text = (CHECKOUT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(words[0], words[1]) for line in lines if (words := line.split(maxsplit=1))]


def packages(lock: str) -> dict[str, str]:
    """What a lock file has of each package: its version, where it applies, its hashes."""
    entries = re.split(r"\n(?=\S)", (CHECKOUT / lock).read_text().strip())
    return {re.split(r"[=\s]", entry, maxsplit=1)[0]: entry for entry in entries}


def test_the_composition_has_the_bot_a_worker_and_both_servers() -> None:
    assert set(COMPOSE["services"]) == {*OURS, "postgres", "valkey"}
    assert COMPOSE["services"]["postgres"]["image"] == f"postgres:{POSTGRES_MAJOR}"


@pytest.mark.parametrize("service", OURS)
def test_every_variable_a_service_sets_is_a_setting(service: str) -> None:
    assert set(COMPOSE["services"][service]["environment"]) <= VARIABLES


@pytest.mark.parametrize("service", OURS)
def test_the_values_a_service_gets_are_accepted(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    for name, value in COMPOSE["services"][service]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{[^}]*\}", "something", value))
    settings = Settings()
    assert settings.database_url is not None
    assert settings.redis_url is not None
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside a container


def test_every_variable_the_composition_takes_stands_in_the_example() -> None:
    taken = re.findall(r"\$\{(\w+)", (CHECKOUT / "docker-compose.yml").read_text())
    assert taken
    assert set(taken) <= set(dotenv_values(CHECKOUT / ".env.example"))


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_every_service_says_how_it_fares_and_waits_for_those_it_needs(service: str) -> None:
    said = COMPOSE["services"][service]
    assert {"test", "interval", "timeout", "retries"} <= set(said["healthcheck"])
    for needed, condition in said.get("depends_on", {}).items():
        assert needed in COMPOSE["services"]
        assert condition == {"condition": "service_healthy"}


def test_every_volume_that_is_mounted_is_declared() -> None:
    mounted = [
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", ())
    ]
    assert set(mounted) == set(COMPOSE["volumes"])


def test_nothing_but_the_bot_can_be_reached_from_outside() -> None:
    published = [name for name, said in COMPOSE["services"].items() if "ports" in said]
    assert published == ["bot"]


@pytest.mark.parametrize("service", OURS)
def test_the_commands_of_the_composition_exist(service: str) -> None:
    assert_is_a_command(COMPOSE["services"][service]["command"])


def test_the_command_of_the_image_exists() -> None:
    commands = [rest for word, rest in docker_instructions() if word == "CMD"]
    assert_is_a_command(json.loads(commands[-1]))


def assert_is_a_command(words: list[str]) -> None:
    assert words[:3] == ["python", "-m", "bot"]
    commands = get_command(app).commands  # type: ignore[attr-defined]
    command = commands[words[3]]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[4:] if word.startswith("--")} <= options


def test_the_image_is_made_of_instructions_docker_knows() -> None:
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "CMD"}
    assert {word for word, _ in docker_instructions()} <= known
    assert docker_instructions()[0][0] == "FROM"


def test_the_image_does_not_run_as_root() -> None:
    users = [rest for word, rest in docker_instructions() if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")


def test_every_variable_the_image_sets_is_a_setting_or_pythons() -> None:
    pairs = [pair for word, rest in docker_instructions() if word == "ENV" for pair in rest.split()]
    names = {pair.split("=")[0] for pair in pairs}
    assert {name for name in names if not name.startswith("PYTHON")} <= VARIABLES


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        source
        for word, rest in docker_instructions()
        if word == "COPY"
        for source in shlex.split(rest)[:-1]
    }
    assert copied == let_in
    assert all((CHECKOUT / source).exists() for source in copied)


def test_the_image_has_the_same_packages_as_the_tests() -> None:
    tested, shipped = packages("requirements.lock"), packages("requirements-prod.lock")
    assert shipped.items() <= tested.items()


def test_the_image_has_what_the_bot_needs_and_no_more() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    shipped = set(packages("requirements-prod.lock"))
    assert {required_name(line) for line in project["dependencies"]} <= shipped
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    assert not {required_name(line) for line in extras} & shipped


def required_name(requirement: str) -> str:
    return re.split(r"[<>=;\[ ]", requirement, maxsplit=1)[0]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-prod.lock"])
def test_locked_packages_come_from_the_registry_in_use_and_are_checked(lock: str) -> None:
    for name, entry in packages(lock).items():
        assert "==" in entry, name
        assert "--hash=sha256:" in entry, name
        assert "://" not in entry, name
        assert "index" not in entry.splitlines()[-1], name
