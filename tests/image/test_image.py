"""The image and what runs around it, read as files; and built, where buildah is."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.backup_key import new_pair
from app.config import load_settings
from app.crypto import new_key
from tests.tree import ROOT, text

STEP = re.compile(r"^([A-Z]+) (.*)$")


def steps() -> Iterator[tuple[str, str]]:
    """Every instruction of the Dockerfile with its words, lines joined."""
    whole = re.sub(r"\\\n\s*", " ", text("Dockerfile"))
    for line in whole.splitlines():
        if match := STEP.match(line):
            yield match[1], match[2]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for step in steps():
        if step[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def words(stage: list[tuple[str, str]], instruction: str) -> list[str]:
    return [said for name, said in stage if name == instruction]


# --- the Dockerfile -------------------------------------------------------------------


def test_it_takes_only_what_is_there_and_let_in() -> None:
    let_in = re.findall(r"^!(\S+)$", text(".dockerignore"), re.MULTILINE)
    taken = [
        source for said in words(stages()[0], "COPY") for source in said.split()[:-1]
    ]
    assert set(taken) == set(let_in)
    assert [one for one in taken if not (ROOT / one).exists()] == []


def test_the_second_stage_takes_nothing_but_the_first() -> None:
    last = stages()[-1]
    assert words(last, "COPY") == ["--from=build /srv/chaperone /srv/chaperone"]
    assert not any("pip" in said or "apt" in said for said in words(last, "RUN"))


def test_it_runs_without_rights_on_folders_of_its_own() -> None:
    last = stages()[-1]
    assert words(last, "USER") == ["10001:10001"]
    names = [name for name, _ in last]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    folders = json.loads(words(last, "VOLUME")[0])
    assert folders == ["/data", "/backups"]
    assert "-o chaperone -g chaperone -m 0700 /data /backups" in words(last, "RUN")[0]


def test_no_secret_is_in_it() -> None:
    said = " ".join(said for name, said in steps() if name in ("ENV", "ARG"))
    assert re.findall(r"CHAPERONE_\w+", said) == ["CHAPERONE_DATA_DIR"]
    assert not re.search(r"key|secret|password|token", said, re.IGNORECASE)


def test_its_libraries_are_those_of_the_lock() -> None:
    [install] = [said for said in words(stages()[0], "RUN") if "run.txt" in said]
    assert "--require-hashes" in install


def test_it_is_asked_whether_it_is_well() -> None:
    assert "/healthz" in words(stages()[-1], "HEALTHCHECK")[0]


# --- compose.yaml ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(text("compose.yaml")))


def test_its_settings_are_settings(compose: dict[str, Any], tmp_path: Path) -> None:
    """With the files docs/operations.md tells to make, the service would start."""
    given = dict(compose["services"]["chaperone"]["environment"])
    content = {
        "secret_key": new_key(),
        "database_url": "postgresql://chaperone:x@database/chaperone",
    }
    for name, value in given.items():
        value = value.replace("${DOMAIN}", "chaperone.charity.example")
        if value.startswith("/run/secrets/"):
            secret = value.removeprefix("/run/secrets/")
            path = tmp_path / secret
            path.write_text(content[secret])
            value = str(path)
        given[name] = value
    given |= env_of_the_guide(new_pair().public)
    settings = load_settings(given)
    assert settings.base_url == "https://chaperone.charity.example"
    assert settings.database_url.get_secret_value().startswith("postgresql+psycopg://")
    assert settings.backup_folder == Path("/backups")
    assert settings.has_zoom
    assert settings.has_mail


def env_of_the_guide(backup_key: str) -> dict[str, str]:
    """The example of deploy/chaperone.env in docs/operations.md."""
    guide = text("docs", "operations.md")
    lines = re.findall(r"^    (CHAPERONE_\w+)=(.*)$", guide, re.MULTILINE)
    found: dict[str, str] = dict(lines)
    assert found["CHAPERONE_BACKUP_KEY"].startswith("backup-key-")
    return found | {"CHAPERONE_BACKUP_KEY": backup_key}


def test_only_the_proxy_is_believed_and_only_it_is_open(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    [subnet] = compose["networks"]["front"]["ipam"]["config"]
    trusted = services["chaperone"]["environment"]["CHAPERONE_TRUSTED_PROXIES"]
    assert ip_network(subnet["subnet"]) == ip_network(trusted)
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert services["database"]["networks"] == ["back"]
    assert services["chaperone-2"] == services["chaperone"]
    assert compose["networks"]["back"] == {"internal": True}
    assert "back" not in services["proxy"]["networks"]


def test_it_is_read_only_and_without_rights(compose: dict[str, Any]) -> None:
    chaperone = compose["services"]["chaperone"]
    assert chaperone["read_only"] is True
    assert chaperone["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in chaperone["security_opt"]
    assert "user" not in chaperone
    assert {volume.rpartition(":")[2] for volume in chaperone["volumes"]} == {
        "/data",
        "/backups",
    }


def test_every_secret_is_a_file_that_is_not_in_the_repository(
    compose: dict[str, Any],
) -> None:
    ignored = text(".gitignore").splitlines()
    used = {s for one in compose["services"].values() for s in one.get("secrets", [])}
    assert used == set(compose["secrets"])
    for one in compose["secrets"].values():
        assert one["file"].startswith("deploy/secrets/")
    assert {"deploy/secrets/", "deploy/chaperone.env", "backups/"} <= set(ignored)
    whole = text("compose.yaml")
    assert not re.search(r"(password|secret_key|token): *['\"]?\w{8,}", whole)


def test_images_of_others_have_a_version(compose: dict[str, Any]) -> None:
    images = {name: one["image"] for name, one in compose["services"].items()}
    assert images["chaperone"] == "chaperone:local"
    for name in ("proxy", "database"):
        assert re.fullmatch(r"docker\.io/library/\w+:\d+(\.\d+)*", images[name])


def test_the_proxy_sends_everything_to_the_service() -> None:
    caddy = text("deploy", "Caddyfile")
    assert "{$DOMAIN} {" in caddy
    assert "reverse_proxy chaperone:8000 chaperone-2:8000" in caddy
    assert caddy.count("{") == caddy.count("}")


# --- really built ---------------------------------------------------------------------

BASE = "docker.io/library/python:3.11-slim"


def _buildah(*words: str, within: int = 600) -> str:
    """Needs no daemon; `chroot` isolation needs no rights of a container."""
    env = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
    done = subprocess.run(
        ["buildah", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.long
def test_it_builds_and_runs_without_rights() -> None:
    """Where buildah and a base image are; docs/operations.md says how to make one."""
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed (apt-get install buildah)")
    if BASE not in _buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
        pytest.skip(f"{BASE} is not here; docs/operations.md says how to make it")
    mounts = [
        f"--volume={path}:{path}:ro"
        for path in ("/etc/ssl/certs", "/etc/pip.conf")
        if Path(path).exists()
    ]
    _buildah(
        "bud", "--format=docker", "--network=host", "--pull-never", *mounts,
        "--tag=chaperone:test", str(ROOT),
    )  # fmt: skip
    made = _buildah("from", "--pull-never", "chaperone:test")
    try:
        run = ("run", "--network=host", made, "--")
        assert _buildah(*run, "id", "-u") == "10001"
        assert _buildah(*run, "sh", "-c", "touch /srv/chaperone/x || echo no") == "no"
        assert "backup" in _buildah(*run, "chaperone", "--help")
        assert json.loads(_buildah("inspect", "--type=image", "chaperone:test"))[
            "Docker"
        ]["config"]["Healthcheck"]
    finally:
        _buildah("rm", made)
