"""Carries out the steps of a Dockerfile without Docker, and runs what comes out.

    image.py build --base ROOT --toolchain DIR --out DIR [--packages "..."]
    image.py run --out DIR

`build`: every stage gets a copy of ROOT, a fresh Debian; the stage that Docker would begin with the image of the
Swift toolchain gets DIR mounted read-only at its place and the packages that the image has. FROM, ARG, ENV, WORKDIR,
COPY, RUN, USER, LABEL, STOPSIGNAL, HEALTHCHECK, ENTRYPOINT and CMD are understood; anything else is an error. The
images' settings are written to OUT/NAME.json beside OUT/NAME.

`run`: starts the sandbox and the gateway from their images as the images' user, each in a root that is mounted
read-only, in a network of their own, with no capabilities, sends a call that is signed on its way, and runs each
image's HEALTHCHECK. Must be root, in mount and network namespaces of its own: scripts/check-image sees to that.
"""
import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def say(*words):
    print("--", *words, flush=True)


def instructions(path):
    text = re.sub(r"\\\n(\s*#[^\n]*\n)*", " ", open(path).read())
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word.upper(), rest.strip()


def copied(source, target):
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


class Stage:
    """One stage: a root and the image's settings."""

    def __init__(self, name, root, settings):
        self.name, self.root, self.settings = name, root, settings
        self.folder, self.arguments, self.mounts = "/", {}, []

    def inside(self, path):
        return os.path.join(self.root, os.path.join(self.folder, path).lstrip("/"))

    def mount(self, *words):
        subprocess.run(["mount", *words], check=True)
        self.mounts.append(words[-1])

    def close(self):
        while self.mounts:
            subprocess.run(["umount", self.mounts.pop()], check=True)

    def run(self, command, seconds):
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        environment.update(self.settings["Env"])
        environment.update(DEBIAN_FRONTEND="noninteractive")
        words = ["chroot", self.root, "/bin/sh", "-c", f"cd {shlex.quote(self.folder)} && {command}"]
        done = subprocess.run(words, env=environment, timeout=seconds, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"RUN failed with {done.returncode}: {command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


class Builder:
    def __init__(self, options):
        self.options = options
        self.stages = {}
        self.stage = None

    def begin(self, rest):
        words = rest.split()
        image, name = words[0], words[2] if len(words) > 2 else words[0]
        root = os.path.join(self.options.out, name)
        if self.stage:
            self.stage.close()
        parent = self.stages.get(image)
        copied(parent.root if parent else self.options.base, root)
        settings = json.loads(json.dumps(parent.settings)) if parent else {"Env": {}, "Labels": {}}
        self.stage = self.stages[name] = Stage(name, root, settings)
        say(f"FROM {image} AS {name}")
        self.stage.mount("-t", "proc", "proc", root + "/proc")
        shutil.copy("/etc/resolv.conf", root + "/etc/resolv.conf")
        if image.startswith("swift:"):
            self.toolchain()

    def toolchain(self):
        """What the toolchain's image has beyond Debian."""
        wanted = self.options.packages
        self.stage.run(f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {wanted}", 600)
        place = self.stage.root + self.options.toolchain
        os.makedirs(place)
        self.stage.mount("--bind", self.options.toolchain, place)
        path = f"{self.options.toolchain}/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.stage.settings["Env"]["PATH"] = path

    def copy(self, rest):
        words = rest.split()
        options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
        *sources, target = [word for word in words if not word.startswith("--")]
        origin = self.stages[options["from"]].root if "from" in options else REPOSITORY
        for source in sources:
            place = self.stage.inside(target)
            if target.endswith("/"):
                place = os.path.join(place, os.path.basename(source))
            os.makedirs(os.path.dirname(os.path.normpath(place)), exist_ok=True)
            copied(os.path.join(origin, source.lstrip("/")), os.path.normpath(place))
            owner = options.get("chown", "0:0")
            subprocess.run(["chown", "-R", owner, os.path.normpath(place)], check=True)

    def expanded(self, text):
        return re.sub(r"\$(\w+)", lambda found: self.stage.arguments.get(found[1], ""), text)

    def pairs(self, rest):
        return dict(word.split("=", 1) for word in shlex.split(self.expanded(rest)))

    def step(self, word, rest):
        settings = self.stage.settings if self.stage else None
        if word == "FROM":
            self.begin(rest)
        elif word == "RUN":
            begin = time.monotonic()
            self.stage.run(rest, 1_800)
            say(f"RUN {rest[:70]}... {time.monotonic() - begin:.0f} s")
        elif word == "COPY":
            self.copy(rest)
        elif word == "WORKDIR":
            self.stage.folder = rest
            os.makedirs(self.stage.inside(""), exist_ok=True)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            self.stage.arguments[name] = value
        elif word == "ENV":
            settings["Env"].update(self.pairs(rest))
        elif word == "LABEL":
            settings["Labels"].update(self.pairs(rest))
        elif word in ("USER", "STOPSIGNAL"):
            settings[word] = rest
        elif word in ("ENTRYPOINT", "CMD"):
            settings[word] = json.loads(rest)
        elif word == "HEALTHCHECK":
            settings[word] = json.loads(rest[rest.index("CMD") + 3:])
        else:
            sys.exit(f"{word} is not understood")

    def build(self):
        os.makedirs(self.options.out, exist_ok=True)
        try:
            for word, rest in instructions(os.path.join(REPOSITORY, "Dockerfile")):
                self.step(word, rest)
        finally:
            for stage in self.stages.values():
                stage.close()
        for stage in self.stages.values():
            with open(os.path.join(self.options.out, stage.name + ".json"), "w") as file:
                json.dump(stage.settings, file, indent=1)


class Container:
    """A program of an image, in its read-only root."""

    def __init__(self, out, name, mounts=(), arguments=None):
        self.settings = json.load(open(f"{out}/{name}.json"))
        self.root = os.path.join(out, name)
        uid, gid = self.settings["USER"].split(":")
        assert uid.isdigit() and int(uid) != 0, "the user is a number and not root"
        subprocess.run(["mount", "--bind", self.root, self.root], check=True)
        for source, place in mounts:
            os.makedirs(self.root + place, exist_ok=True)
            subprocess.run(["mount", "--bind", source, self.root + place], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", self.root + "/proc"], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.root], check=True)
        self.enter = [sys.executable, "-c", ENTER, self.root, uid, gid]
        command = self.settings["ENTRYPOINT"] + (arguments or self.settings["CMD"])
        self.process = subprocess.Popen(
            self.enter + command, env=self.settings["Env"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait_for(self, text):
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if text in line:
                return
        sys.exit(f"{self.root} ended: {''.join(seen)}")

    def health(self, *more):
        """Runs the image's HEALTHCHECK as Docker would, inside of the root as its user; its status."""
        command = self.settings["HEALTHCHECK"] + list(more)
        done = subprocess.run(self.enter + command, env=self.settings["Env"], timeout=10, capture_output=True, text=True)
        say(*command, "ended with", done.returncode, (done.stdout + done.stderr).strip())
        return done.returncode

    def stop(self):
        self.process.send_signal(getattr(signal, self.settings["STOPSIGNAL"]))
        return self.process.wait(timeout=60)


# Enters the root and gives up root for good, in the new process: chroot(2), groups, user, no new privileges.
ENTER = """
import ctypes, os, sys
root, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
libc = ctypes.CDLL(None)
os.chroot(root); os.chdir("/")
os.setgroups([]); os.setresgid(gid, gid, gid); os.setresuid(uid, uid, uid)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
os.execv(sys.argv[4], sys.argv[4:])
"""

CONFIGURATION = """
listeners: [{name: apps, bind: "127.0.0.1:8080"}]
credentials:
  demo: {username: demo, secret: "credential:hmac", api_key: {value: "credential:api-key", place: body}}
upstreams:
  banking: {url: "https://127.0.0.1:9443/api/v4", product: banking, tls: {ca_file: /sandbox/ca.pem}}
routes: [{name: banking, prefix: /, upstream: banking, credential: demo,
          idempotency: {key: /idempotent_key, required: false}}]
store: {kind: sqlite, path: /var/lib/countersign/idempotency.db, key: "credential:store"}
admin: {bind: "127.0.0.1:9901"}
"""


CALL = b'{"first_name": "Jane", "last_name": "Doe", "email": "jane.doe@example.com"}'


def prepared(out):
    """Folders as a volume, a configuration and secrets would be mounted."""
    folders = {}
    for name, owner in (("state", 65532), ("store", 65532), ("etc", 0), ("secrets", 65532)):
        folders[name] = os.path.join(out, "mounts", name)
        shutil.rmtree(folders[name], ignore_errors=True)
        os.makedirs(folders[name])
        os.chown(folders[name], owner, owner)
    with open(folders["etc"] + "/countersign.yaml", "w") as file:
        file.write(CONFIGURATION)
    for name, text in (("hmac", "demo-secret-not-for-production"), ("api-key", "demo-api-key"), ("store", "s" * 32)):
        path = f"{folders['secrets']}/{name}"
        with open(path, "w") as file:
            file.write(text)
        os.chown(path, 65532, 65532)
        os.chmod(path, 0o400)
    return folders


def asked(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def run(options):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folders = prepared(options.out)
    sandbox = Container(options.out, "sandbox", [(folders["state"], "/var/lib/ingo-sandbox")],
                        ["--port", "9443", "--state-dir", "/var/lib/ingo-sandbox", "--print", "line"])
    sandbox.wait_for("sandbox ready")
    gateway = Container(options.out, "countersign", [
        (folders["store"], "/var/lib/countersign"), (folders["etc"], "/etc/countersign"),
        (folders["secrets"], "/run/secrets"), (folders["state"], "/sandbox")])
    gateway.wait_for('"ready"')
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{gateway.process.pid}/status") if ":\t" in line)
    say("the gateway runs as", status["Uid"].split()[0], "with capabilities", status["CapEff"].strip(),
        "and NoNewPrivs", status["NoNewPrivs"].strip())
    assert status["Uid"].split() == ["65532"] * 4 and int(status["CapEff"], 16) == 0
    try:
        open(gateway.root + "/usr/local/bin/new", "w")
        sys.exit("the root can be written to")
    except OSError as error:
        say("a write to the root:", error.strerror)
    answered = asked("http://127.0.0.1:8080/user/create", CALL)
    say("a call without a secret was answered:", *answered)
    assert answered[0] == 200
    saved = os.stat(folders["store"] + "/idempotency.db")
    say(f"the store's file has mode {saved.st_mode & 0o777:o} and the owner {saved.st_uid}")
    assert sandbox.health() == 0 and gateway.health() == 0 and gateway.health("--ready") == 0, "they are healthy"
    assert gateway.stop() == 0, "it ends with 0 at SIGTERM"
    assert gateway.health() == 1, "nobody is there to be healthy"
    assert sandbox.stop() == 0, "it ends with 0 at SIGTERM"
    say("both ended with 0")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["build", "run"])
    parser.add_argument("--out", required=True)
    parser.add_argument("--base")
    parser.add_argument("--toolchain")
    parser.add_argument("--packages", default="")
    options = parser.parse_args()
    if options.what == "build":
        Builder(options).build()
    else:
        run(options)


main()
