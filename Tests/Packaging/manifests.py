"""Looks at conf/kubernetes and conf/compose without a cluster and without Docker.

Every field that the files use is in the tables below, with its kind, taken from the API reference of Kubernetes 1.33 and
the Compose specification; a field that is not there is an error, so that a misspelt one is found. Beyond the form: names
that refer to each other, and what the files promise (no root, no capabilities, read-only roots, no preStop).
Needs python3-yaml.
"""
import json
import os
import sys

import yaml

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
problems = []


class Unique(yaml.SafeLoader):
    """Refuses a key that is there twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in set(key for key in keys if keys.count(key) > 1):
            problems.append(f"{node.start_mark}: {key} is there twice")
        return super().construct_mapping(node, deep)


def load(path):
    with open(os.path.join(REPOSITORY, "conf", path)) as file:
        return [document for document in yaml.load_all(file, Unique)]


# A kind is a Python type, a tuple of the words that are allowed, a list of one kind (a list of them), {str: kind} (a
# mapping with names of one's own), or a dict of fields. A field with ! at its end must be there.
STRINGS = {str: str}
PORT = {"name!": str, "port!": int}
PROBE = {"exec!": {"command!": [str]}, "periodSeconds": int, "failureThreshold": int, "timeoutSeconds": int}
MOUNT = {"name!": str, "mountPath!": str, "readOnly": bool}
CONTAINER = {
    "name!": str, "image!": str, "args": [str], "env": [{"name!": str, "value!": str}],
    "startupProbe": PROBE, "readinessProbe": PROBE, "livenessProbe": PROBE,
    "securityContext!": {
        "runAsUser!": int, "runAsGroup!": int, "allowPrivilegeEscalation!": bool, "readOnlyRootFilesystem!": bool,
        "capabilities!": {"drop!": [("ALL",)]},
    },
    "resources!": {"requests": STRINGS, "limits": STRINGS}, "volumeMounts!": [MOUNT],
}
POD = {
    "automountServiceAccountToken!": bool, "terminationGracePeriodSeconds!": int,
    "securityContext!": {
        "runAsNonRoot!": bool, "fsGroup!": int, "fsGroupChangePolicy": ("OnRootMismatch", "Always"),
        "seccompProfile!": {"type!": ("RuntimeDefault",)},
    },
    "initContainers": [{**CONTAINER, "restartPolicy!": ("Always",)}], "containers!": [CONTAINER],
    "volumes": [{"name!": str, "configMap": {"name!": str}, "secret": {"secretName!": str, "defaultMode": int},
                 "emptyDir": {"medium": ("Memory",), "sizeLimit": str}}],
}
METADATA = {"name!": str, "labels": STRINGS}
SELECTOR = {"matchLabels!": STRINGS}
RULE_PORTS = [{"protocol!": ("TCP", "UDP"), "port!": int}]
PEERS = [{"podSelector": SELECTOR, "namespaceSelector": SELECTOR, "ipBlock": {"cidr!": str, "except": [str]}}]
KINDS = {
    ("v1", "Secret"): {"metadata!": METADATA, "type!": ("Opaque",), "stringData!": STRINGS},
    ("v1", "Service"): {
        "metadata!": METADATA, "spec!": {"clusterIP": ("None",), "selector!": STRINGS, "ports!": [PORT]}},
    ("apps/v1", "StatefulSet"): {
        "metadata!": METADATA,
        "spec!": {
            "serviceName!": str, "replicas": int, "selector!": SELECTOR,
            "template!": {"metadata!": {"labels!": STRINGS}, "spec!": POD},
            "volumeClaimTemplates": [{
                "metadata!": {"name!": str},
                "spec!": {"accessModes!": [("ReadWriteOnce",)], "resources!": {"requests!": {"storage!": str}}}}],
        },
    },
    ("networking.k8s.io/v1", "NetworkPolicy"): {
        "metadata!": METADATA,
        "spec!": {
            "podSelector!": SELECTOR, "policyTypes!": [("Ingress", "Egress")],
            "ingress": [{"from": PEERS, "ports": RULE_PORTS}], "egress": [{"to": PEERS, "ports": RULE_PORTS}]},
    },
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"): {
        "resources!": [str], "configMapGenerator": [{"name!": str, "files!": [str]}]},
}
SERVICE = {
    "build!": {"context!": str, "target!": str}, "image!": str, "read_only!": bool, "cap_drop!": [("ALL",)],
    "security_opt!": [("no-new-privileges:true",)], "volumes": [str], "ports": [str], "network_mode": str,
    "depends_on": {str: {"condition!": ("service_healthy", "service_started")}}, "stop_grace_period": str,
    "restart": ("on-failure",), "environment": STRINGS,
}
COMPOSE = {"name!": str, "services!": {str: SERVICE}, "volumes": {str: type(None)}}


def compare(value, kind, where):
    if isinstance(kind, tuple):
        if value not in kind:
            problems.append(f"{where}: {value!r} is none of {', '.join(kind)}")
    elif isinstance(kind, type):
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            problems.append(f"{where}: {value!r} is not of the kind {kind.__name__}")
    elif isinstance(kind, list):
        if not isinstance(value, list) or not value:
            problems.append(f"{where}: is not a list with elements")
            return
        for index, element in enumerate(value):
            compare(element, kind[0], f"{where}[{index}]")
    elif not isinstance(value, dict):
        problems.append(f"{where}: is not a mapping")
    elif str in kind:
        for name, member in value.items():
            compare(name, str, where)
            compare(member, kind[str], f"{where}.{name}")
    else:
        fields = {name.rstrip("!"): part for name, part in kind.items()}
        for name, member in value.items():
            if name in fields:
                compare(member, fields[name], f"{where}.{name}")
            else:
                problems.append(f"{where}: there is no field {name}")
        for name in kind:
            if name.endswith("!") and name[:-1] not in value:
                problems.append(f"{where}: the field {name[:-1]} is missing")


def expect(holds, text):
    if not holds:
        problems.append(text)


def check_kubernetes():
    folder = os.path.join(REPOSITORY, "conf/kubernetes")
    documents = []
    for name in sorted(os.listdir(folder)):
        if name == "countersign.yaml":
            continue
        for document in load("kubernetes/" + name):
            kind = (document.pop("apiVersion", None), document.pop("kind", None))
            expect(kind in KINDS, f"{name}: the kind {kind} is not known")
            if kind in KINDS:
                compare(document, KINDS[kind], f"{name}: {kind[1]}")
                documents.append((kind[1], document))
    if problems:
        return
    found = {kind: document for kind, document in documents}
    template = found["StatefulSet"]["spec"]["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    for kind, selector in (("StatefulSet", "selector"), ("NetworkPolicy", "podSelector")):
        expect(found[kind]["spec"][selector]["matchLabels"] == labels, f"{kind}: selects other pods")
    expect(found["Service"]["spec"]["selector"] == labels, "Service: selects other pods")
    expect(found["StatefulSet"]["spec"]["serviceName"] == found["Service"]["metadata"]["name"], "serviceName")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    claims = {claim["metadata"]["name"] for claim in found["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    for container in pod["initContainers"] + pod["containers"]:
        context = container["securityContext"]
        expect(context["runAsUser"] > 0 and context["readOnlyRootFilesystem"] is True
               and context["allowPrivilegeEscalation"] is False, f"{container['name']}: has rights")
        for mount in container["volumeMounts"]:
            expect(mount["name"] in volumes.keys() | claims, f"{container['name']}: no volume {mount['name']}")
    maps = {generated["name"] for generated in found["Kustomization"]["configMapGenerator"]}
    expect(volumes["configuration"]["configMap"]["name"] in maps, "no such ConfigMap is generated")
    expect(volumes["secrets"]["secret"]["secretName"] == found["Secret"]["metadata"]["name"], "another Secret")
    expect(volumes["secrets"]["secret"]["defaultMode"] == 0o400, "secrets are for their owner")
    check_configuration(pod, found["Secret"])


def check_configuration(pod, secret):
    """What the gateway's configuration says about the pod."""
    settings = load("kubernetes/countersign.yaml")[0]
    app, gateway = pod["containers"][0], pod["initContainers"][0]
    expect(settings["callers"]["payouts"]["uid"] == app["securityContext"]["runAsUser"], "the caller has another uid")
    text = open(os.path.join(REPOSITORY, "conf/kubernetes/countersign.yaml")).read()
    named = {part.split('"')[0] for part in text.split('"credential:')[1:]}
    expect(named == set(secret["stringData"]), f"the Secret has other names than {sorted(named)}")
    places = {mount["mountPath"] for mount in gateway["volumeMounts"]}
    for path in (settings["store"]["path"], settings["listeners"][0]["bind"].removeprefix("unix:")):
        expect(os.path.dirname(path) in places, f"{path} is not on a volume")
    drain = int(settings["limits"]["drain"].removesuffix("s"))
    expect(drain < pod["terminationGracePeriodSeconds"], "the pod is killed before the drain is over")
    check_admin("kubernetes")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        expect(gateway[probe]["exec"]["command"][:2] == HEALTH, f"{probe}: is not countersign health")


HEALTH = ["/usr/local/bin/countersign", "health"]


def check_admin(folder):
    """What probes ask is there, for nobody outside."""
    bind = load(folder + "/countersign.yaml")[0].get("admin", {}).get("bind", "")
    expect(bind.startswith("127.0.0.1:"), f"{folder}: no admin listener on the loopback")


def check_compose():
    compose = load("compose/compose.yaml")[0]
    compare(compose, COMPOSE, "compose.yaml")
    if problems:
        return
    check_admin("compose")
    check_admin("systemd")
    dockerfile = open(os.path.join(REPOSITORY, "Dockerfile")).read()
    expect(f"CMD {json.dumps(HEALTH)}" in dockerfile, "the Dockerfile's HEALTHCHECK is not countersign health")
    stages = {line.split()[-1] for line in open(os.path.join(REPOSITORY, "Dockerfile")) if line.startswith("FROM ")}
    for name, service in compose["services"].items():
        expect(service["build"]["target"] in stages, f"{name}: the Dockerfile has no such stage")
        expect(service["read_only"] is True, f"{name}: its root can be written to")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            known = os.path.exists(os.path.join(REPOSITORY, "conf/compose", source)) if "/" in source else \
                source in compose["volumes"]
            expect(known, f"{name}: there is no volume {source}")
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"{name}: others on the network reach {port}")
        for other in service.get("depends_on", {}):
            expect(other in compose["services"], f"{name}: there is no service {other}")


check_kubernetes()
check_compose()
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
