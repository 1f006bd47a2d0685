"""The manifests: valid for Kubernetes and its strictest standard, in keeping with the service."""

import json
from typing import Any

import kubernetes_validate
import pytest
import yaml

from groupsvc.settings import PREFIX, Settings
from tests.deployment.sbom import ROOT

FILES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
# The oldest of whose schemas the validator has, and the newest.
VERSIONS = ["1.28", "1.37"]


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    texts = (file.read_text(encoding="utf-8") for file in FILES)
    found = [each for text in texts for each in yaml.safe_load_all(text)]
    by_kind = {each["kind"]: each for each in found}
    assert len(by_kind) == len(found)
    return by_kind


def template(resource: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resource["spec"]["template"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_take_them(resources: dict[str, Any], version: str) -> None:
    for resource in resources.values():
        kubernetes_validate.validate(resource, version, strict=True)


def test_the_schemas_refuse_a_misspelt_one(resources: dict[str, Any]) -> None:
    """A control."""
    text = json.dumps(resources["Deployment"]).replace("readOnlyRootFilesystem", "readOnlyRoot")
    with pytest.raises(kubernetes_validate.ValidationError, match="readOnlyRoot"):
        kubernetes_validate.validate(json.loads(text), VERSIONS[-1], strict=True)


def test_what_is_there(resources: dict[str, Any]) -> None:
    assert set(resources) == {
        "Namespace",
        "ConfigMap",
        "Job",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
    homes = {each["metadata"].get("namespace", "groupsvc") for each in resources.values()}
    assert homes == {"groupsvc"}


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_a_pod_is_within_the_restricted_standard(resources: dict[str, Any], kind: str) -> None:
    pod = template(resources[kind])["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container["resources"]["limits"]) == {"memory"}
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounts == {"/tmp", "/run/secrets/groupsvc_database_url"}
    assert {each["name"] for each in pod["volumes"]} == {
        each["name"] for each in container["volumeMounts"]
    }


def test_the_job_is_the_owner_and_the_replicas_are_not(resources: dict[str, Any]) -> None:
    secrets = {
        kind: [
            each["secret"]["secretName"]
            for each in template(resources[kind])["spec"]["volumes"]
            if "secret" in each
        ]
        for kind in ("Job", "Deployment")
    }
    assert secrets == {"Job": ["groupsvc-owner"], "Deployment": ["groupsvc-service"]}
    (job,) = template(resources["Job"])["spec"]["containers"]
    assert job["args"] == ["migrate", "--grant-to", "groupsvc"]


def test_replicas_are_probed_and_stop_in_time(resources: dict[str, Any]) -> None:
    spec = resources["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]["rollingUpdate"]["maxUnavailable"]) == (2, 0)
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    probed = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert probed == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    settings = Settings()
    assert container["readinessProbe"]["timeoutSeconds"] > settings.command_timeout
    assert pod["terminationGracePeriodSeconds"] > settings.drain_time + 20


def test_selectors_find_the_replicas(resources: dict[str, Any]) -> None:
    labels = template(resources["Deployment"])["metadata"]["labels"].items()
    api = resources["Deployment"]["spec"]["selector"]["matchLabels"]
    budget = resources["PodDisruptionBudget"]["spec"]
    assert api.items() <= labels
    assert resources["Service"]["spec"]["selector"] == api
    assert (budget["selector"]["matchLabels"], budget["minAvailable"]) == (api, 1)
    # The service must not lead to the job.
    assert not api.items() <= template(resources["Job"])["metadata"]["labels"].items()
    policy = resources["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [each["ports"][0]["port"] for each in policy["ingress"]] == ["http", "metrics"]


def test_settings_have_names_that_are_read(resources: dict[str, Any]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(resources["ConfigMap"]["data"]) <= known
