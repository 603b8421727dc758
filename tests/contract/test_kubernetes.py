"""deploy/kubernetes is valid by Kubernetes's and KEDA's own schemas, and holds what those do not ask for."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from deploy.make_secrets import Folder
from domain.call_limits import NIGHT
from settings import PREFIX, Settings
from tests.compose import COMPOSE, ROOT, filled_in, grace, read_compose, secrets_of

HERE, FOLDER = Path(__file__).parent, ROOT / "deploy" / "kubernetes"
KUBERNETES = json.loads((HERE / "kubernetes-1.34.schema.json").read_text())
KEDA = json.loads((HERE / "keda.schema.json").read_text())
GROUPS = {
    "v1": "io.k8s.api.core.v1",
    "apps/v1": "io.k8s.api.apps.v1",
    "batch/v1": "io.k8s.api.batch.v1",
    "policy/v1": "io.k8s.api.policy.v1",
    "networking.k8s.io/v1": "io.k8s.api.networking.v1",
}

kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
NAMES = [*kustomization["resources"], "operator.yaml"]
MANIFESTS: list[dict[str, Any]] = [one for name in NAMES for one in yaml.safe_load_all((FOLDER / name).read_text())]
SERVICES = read_compose(COMPOSE)["services"]


def of_kind(*kinds: str) -> dict[str, Any]:
    """Manifests of these kinds by their names."""
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] in kinds}


DEPLOYMENTS, JOBS = of_kind("Deployment"), of_kind("Job")
REPLICAS = {"operations": 0}  # who wants it says so
every_deployment = pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
every_pod = pytest.mark.parametrize("name", sorted(DEPLOYMENTS | JOBS))


def pod_of(name: str) -> dict[str, Any]:
    """What its pods are made of."""
    spec: dict[str, Any] = (DEPLOYMENTS | JOBS)[name]["spec"]["template"]["spec"]
    return spec


def container_of(name: str) -> dict[str, Any]:
    """Its one container."""
    (container,) = pod_of(name)["containers"]
    found: dict[str, Any] = container
    return found


def schema_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a manifest of this version and kind must look like."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    if version == "keda.sh/v1alpha1":
        found: dict[str, Any] = KEDA[kind]
        return found
    return {"$defs": KUBERNETES["$defs"], "$ref": f"#/$defs/{GROUPS[version]}.{kind}"}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_it_is_valid_by_its_own_schema(manifest: dict[str, Any]) -> None:
    problems = Draft202012Validator(schema_of(manifest)).iter_errors(manifest)

    assert [f"{'/'.join(map(str, problem.path))}: {problem.message}" for problem in problems] == []


def test_no_manifest_is_left_out() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*NAMES, "kustomization.yaml"}


@every_pod
def test_a_pod_may_do_nothing_that_it_need_not(name: str) -> None:
    pod, container = pod_of(name), container_of(name)

    assert pod["automountServiceAccountToken"] is False
    assert of_kind("ServiceAccount")[pod["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10_001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", sorted({*DEPLOYMENTS, "migrate"}))
def test_it_runs_what_the_compose_file_runs(name: str) -> None:
    assert container_of(name)["args"] == SERVICES[name]["command"]


def test_an_operator_s_pod_waits_for_commands_and_ends_by_itself() -> None:
    assert container_of("operator")["command"] == ["sleep", str(JOBS["operator"]["spec"]["activeDeadlineSeconds"])]
    assert JOBS["operator"]["spec"]["ttlSecondsAfterFinished"] < 3600


@every_pod
def test_it_has_the_image_and_the_secrets_of_the_compose_file_at_the_same_places(name: str) -> None:
    container, service = container_of(name), SERVICES[name]
    (volume,) = [one["secret"] for one in pod_of(name)["volumes"] if "secret" in one]

    assert container["image"] == filled_in(service["image"], {})
    assert {f"/run/secrets/{item['path']}": item["key"] for item in volume["items"]} == secrets_of(service)
    assert volume["defaultMode"] & 0o007 == 0
    variables = {one["name"]: one["value"] for one in container["env"]}
    assert variables == {key: text for key, text in service["environment"].items() if "$" not in text}


@every_pod
def test_every_secret_is_one_that_the_script_makes(name: str, tmp_path: Path) -> None:
    made = Folder(tmp_path / "secrets", "database:5432/qonto_xero", "amqp://broker:5672").fill()
    (volume,) = [one["secret"] for one in pod_of(name)["volumes"] if "secret" in one]

    assert {item["key"] for item in volume["items"]} <= set(made)
    assert of_kind("TriggerAuthentication")["broker"]["spec"]["secretTargetRef"][0]["key"] in made


def test_every_setting_that_is_no_secret_is_one_that_our_settings_know() -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}

    assert set(of_kind("ConfigMap")["apps"]["data"]) <= known
    pods = DEPLOYMENTS | JOBS
    asking = {name for name in pods if container_of(name).get("envFrom") == [{"configMapRef": {"name": "apps"}}]}
    assert asking == {name for name in pods if "QONTO_XERO_XERO_CLIENT_ID" in SERVICES[name]["environment"]}


@every_deployment
def test_it_is_asked_whether_it_lives_and_whether_it_can_work(name: str) -> None:
    container = container_of(name)

    assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "monitor"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "monitor"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "monitor"}
    assert container["readinessProbe"]["timeoutSeconds"] > 2, "it answers within two seconds"
    assert {"name": "monitor", "containerPort": 9100} in container["ports"]


@every_deployment
def test_it_has_as_long_to_end_as_with_compose_and_is_not_ended_all_at_once(name: str) -> None:
    assert pod_of(name)["terminationGracePeriodSeconds"] >= grace(SERVICES[name])
    assert of_kind("PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1
    assert DEPLOYMENTS[name]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert DEPLOYMENTS[name]["spec"].get("replicas", 2) == REPLICAS.get(name, 2)


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
def test_what_selects_pods_selects_those_of_one_deployment(kind: str) -> None:
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in DEPLOYMENTS.values()]
    for one in of_kind(kind).values():
        selector = one["spec"]["selector"]
        wanted = selector.get("matchLabels", selector).items()
        assert sum(wanted <= label.items() for label in labels) == 1


def test_nobody_is_reached_unless_a_rule_says_so_and_only_three_reach_the_internet() -> None:
    policies = of_kind("NetworkPolicy")

    nobody = policies["nobody"]["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    open_ = [name for name, policy in policies.items() if "0.0.0.0/0" in json.dumps(policy)]
    assert open_ == ["qonto-and-xero"]
    (who,) = policies["qonto-and-xero"]["spec"]["podSelector"]["matchExpressions"]
    assert who["values"] == ["worker", "web", "operator"]
    assert "169.254.0.0/16" in json.dumps(policies["qonto-and-xero"]), "a cloud's own addresses"


def test_workers_are_as_many_as_xero_lets_work_and_there_before_the_night() -> None:
    spec = of_kind("ScaledObject")["worker"]["spec"]
    threads = int(container_of("worker")["args"][-1])

    assert spec["maxReplicaCount"] * threads * NIGHT.minute <= NIGHT.app_minute
    assert (spec["maxReplicaCount"] + 2) * threads * NIGHT.minute > NIGHT.app_minute, "and hardly fewer"
    assert spec["minReplicaCount"] >= 2
    *queues, cron = spec["triggers"]
    assert {one["metadata"]["queueName"] for one in queues} == {"nightly", "backfill", "interactive"}
    for one in queues:
        assert one["metadata"].items() >= {"protocol": "http", "mode": "QueueLength", "value": "20"}.items()
    assert cron["metadata"]["start"] == "55 22 * * *"
    assert cron["metadata"]["timezone"] == "Europe/Paris"
