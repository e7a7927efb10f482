"""Renews the checked-in corpora from what runs of scripts/fuzz added: the inputs that together reach most.

libFuzzer's own merge (-merge=1) keeps every input that adds a feature, many hundreds; of those, this keeps the 60 that
add most, edges before features, so that a smoke run starts from nearly the same coverage. Needs a build by
scripts/fuzz.
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile

TARGETS = ["request-head", "response-head", "chunked", "json", "splice", "inflate", "config"]
MOST = 60
LARGEST = 4096


def measured(binary, folders):
    """Files with their features and edges, as libFuzzer's merge measures them."""
    with tempfile.TemporaryDirectory() as scratch:
        control = os.path.join(scratch, "control")
        merged = os.path.join(scratch, "merged")
        os.mkdir(merged)
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        subprocess.run(
            [binary, "-merge=1", "-merge_control_file=" + control, "-max_len=%d" % LARGEST, merged] + folders,
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        with open(control) as lines:
            lines = lines.read().split("\n")
    count = int(lines[0])
    files = [{"path": path, "FT": set(), "COV": set()} for path in lines[2:2 + count]]
    for line in lines[2 + count:]:
        kind, *numbers = line.split() or [""]
        if kind in ("FT", "COV"):
            files[int(numbers[0])][kind] = set(numbers[1:])
    return files


def chosen(files):
    """At most MOST files: always the one that adds most of what is still missing."""
    kept, rest = [], list(files)
    for kind in ("COV", "FT"):
        # libFuzzer lists an edge only with the first file that reaches it, so features choose where edges are done.
        seen = set().union(*(file[kind] for file in kept)) if kept else set()
        while rest and len(kept) < (MOST * 2 // 3 if kind == "COV" else MOST):
            best = max(rest, key=lambda file: (len(file[kind] - seen), -os.path.getsize(file["path"])))
            if not best[kind] - seen:
                break
            seen |= best[kind]
            kept.append(best)
            rest.remove(best)
    return kept


def main():
    options = argparse.ArgumentParser(description="renew the checked-in fuzz corpora")
    options.add_argument("folder", nargs="*", help="more folders of inputs, each with one folder per target")
    options = options.parse_args()
    for target in TARGETS:
        home = os.path.join("Fuzz/Corpus", target)
        os.makedirs(home, exist_ok=True)
        folders = [os.path.join(folder, target) for folder in [".build/fuzz-corpus"] + options.folder]
        folders = [home] + [folder for folder in folders if os.path.isdir(folder)]
        files = measured(".build/fuzz/release/fuzz-" + target, folders)
        with tempfile.TemporaryDirectory() as scratch:
            for file in chosen(files):
                with open(file["path"], "rb") as source:
                    name = hashlib.sha1(source.read()).hexdigest()[:16]
                shutil.copyfile(file["path"], os.path.join(scratch, name))
            shutil.rmtree(home)
            shutil.copytree(scratch, home)
        print("%s: %d of %d inputs" % (target, len(os.listdir(home)), len(files)))


if __name__ == "__main__":
    main()
