# What the scripts share: finding the root, installing what is missing, stages with their time. Sourced, never run.
# Relies on bash and on apt where something is missing. Refuses to go on without the Swift toolchain.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
exec </dev/null

say() { printf '== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is, or by sudo without a question.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# need WHAT PACKAGE TEST...: PACKAGE is put on the list where TEST fails.
missing=()
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

header() { [ -e "/usr/include/$1" ] || compgen -G "/usr/include/*/$1" >/dev/null; }

# Installs the packages on the list, if there are any.
install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing: ${missing[*]}"
    command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || say "apt-get update failed; trying with what is known"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "could not install: ${missing[*]}"
    missing=()
}

need_to_build() {
    command -v swift >/dev/null || fail "the Swift toolchain (6.3 or later) is not on the PATH; see https://www.swift.org/install"
    need libssl-dev header openssl/ssl.h
    need libyaml-dev header yaml.h
    need zlib1g-dev header zlib.h
    need libsqlite3-dev header sqlite3.h
    need pkg-config command -v pkg-config
}

need_to_test() {
    need python3 python3 -c 'import ssl'
    need python3 test -x /usr/bin/python3
    need openssl command -v openssl
    need python3-venv python3 -c 'import ensurepip'
    need curl command -v curl
    need binutils command -v readelf
    need gcc command -v gcc
    need valgrind command -v callgrind_control
    need gdb command -v gdb
    need faketime sh -c "ls /usr/lib/*/faketime/libfaketime.so.1"
    need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
}

# stage NAME COMMAND...: runs it, says how long it took, ends the script where it fails.
stages=()
stage() {
    local name=$1 begin=$SECONDS
    shift
    say "$name"
    if ! "$@"; then
        printf '== FAILED: %s (after %ss)\n' "$name" $((SECONDS - begin))
        exit 1
    fi
    stages+=("$name $((SECONDS - begin))s")
}

# Every build uses it: an import that Package.swift does not declare is an error.
walls=(--explicit-target-dependency-import-check error)

# A release is optimised across the rooms and has the Swift runtime within it (docs/decisions/0011-whole-program.md).
release=(--experimental-lto-mode=full --static-swift-stdlib --disable-local-rpath)
# The gateway's code lies in the binary by how often a run under load used it (docs/decisions/0014-profile.md).
profile=Benchmarks/countersign.profdata
profiled=(-Xlinker "--lto-cs-profile-file=$root/$profile" -Xlinker -z -Xlinker keep-text-section-prefix
    -Xlinker -mllvm -Xlinker -enable-split-machine-functions)

# build_product CONFIGURATION PRODUCT: as it is delivered; the Dockerfile calls this as well.
build_product() {
    local how=() log status=0 built
    if [ "$1" = release ]; then
        how=("${release[@]}")
        if [ "$2" = countersign ]; then
            how+=("${profiled[@]}")
            # The package manager does not know that the binary comes of the profile too.
            built=.build/release/countersign
            [ ! "$profile" -nt "$built" ] || rm -f "$built"
        fi
    fi
    log=$(mktemp)
    swift build -c "$1" "${walls[@]}" "${how[@]}" --product "$2" >"$log" 2>&1 || status=$?
    if [ "$status" = 0 ]; then tail -n 1 "$log"; else cat "$log"; fi
    rm -f "$log"
    return "$status"
}

lint() { swift format lint -s -r Sources Tests Fuzz loadtest Package.swift; }
