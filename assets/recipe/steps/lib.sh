# Goes before each of the built-in scripts, and only before those.
#
# MUSTER_OS_RELEASE and MUSTER_LOCK_PAUSE_S are for tests; everything else that
# the scripts read comes from muster, see docs/quokka.md.
set -eu
# Some images keep these from users; sudo finds them anyway.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

muster=$HOME/.muster
# The one Python environment that everything of Quokka runs in.
venv=$muster/venv
# What installs its packages.
uv=$muster/uv/bin/uv
# Pid files and logs of what the steps leave running.
run=$muster/run
mkdir -p "$muster" "$run"

say() { printf '%s\n' "$*"; }
die() {
    printf 'muster: %s\n' "$*"
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# One word for the package manager and the names of its packages: apt, amazon or rpm.
system() {
    release=${MUSTER_OS_RELEASE:-/etc/os-release}
    [ -r "$release" ] || die "this image has no $release: muster can't detect its package manager"
    # In a shell of its own, since the file sets variables of any name.
    # shellcheck disable=SC1090,SC2154
    ids=$(. "$release" && printf '%s %s %s' "$ID" "${ID_LIKE:-}" "${VERSION_ID:-}")
    case " $ids " in
        *" debian "* | *" ubuntu "*) echo apt ;;
        " amzn "*" 2023"*) echo amazon ;;
        " amzn "*) die "Amazon Linux $ids is too old: use Amazon Linux 2023, Ubuntu or Debian 12" ;;
        *" fedora "* | *" rhel "* | *" centos "*) echo rpm ;;
        *) die "muster installs packages with apt or dnf, and this image is $ids: install them in setup_commands, and take the step packages out of a recipe of your own" ;;
    esac
}

# Runs "$@" and prints its output. While another program holds the package
# manager's lock, as the image's own updates do after boot, it tries again,
# ten minutes at most.
with_lock() {
    pause=${MUSTER_LOCK_PAUSE_S:-5}
    left=120
    while :; do
        { "$@" 2>&1 && status=0 || status=$?; echo "$status" >"$run/status"; } | tee "$run/output"
        status=$(cat "$run/status")
        [ "$status" -ne 0 ] || return 0
        # 200 is dnf's exit status for a held lock.
        if [ "$status" -ne 200 ] && ! grep -Eq "$locked" "$run/output"; then
            return "$status"
        fi
        left=$((left - 1))
        [ "$left" -gt 0 ] || die "the package manager's lock was not let go of within ten minutes"
        say "muster: another program holds the package manager's lock; waiting"
        sleep "$pause"
    done
}
locked='Could not get lock|Unable to (acquire|lock)|is another process using it|is held by process'

apt_has() { [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null || true)" = 'install ok installed' ]; }

# Installs what is missing of the packages named.
install_packages() {
    system=$(system) || { say "$system"; exit 1; }
    missing=
    for package in "$@"; do
        case $system in
            apt) apt_has "$package" || missing="$missing $package" ;;
            *) rpm -q "$package" >/dev/null 2>&1 || missing="$missing $package" ;;
        esac
    done
    if [ -z "$missing" ]; then
        say "already there: $*"
        return 0
    fi
    say "installing$missing"
    # shellcheck disable=SC2086 # one word for each package
    case $system in
        apt)
            with_lock as_root apt-get -q update
            with_lock as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
                apt-get -q -y -o DPkg::Lock::Timeout=60 install $missing
            ;;
        *) with_lock as_root dnf -q -y --setopt=exit_on_lock=True install $missing ;;
    esac
}

# Prints the first of the named programs that is installed.
program() {
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

is_leader() { [ "$MUSTER_NODE" = "$MUSTER_LEADER" ]; }

need_venv() {
    [ -x "$venv/bin/python3" ] || die "there is no Python in $venv: the step python makes it"
    PATH=$venv/bin:$PATH
    export PATH
}

# As the steps call uv. It trusts the certificates that pip and curl trust there.
UV_PYTHON_PREFERENCE=system
UV_NO_PROGRESS=1
UV_NATIVE_TLS=true
UV_SYSTEM_CERTS=true
export UV_PYTHON_PREFERENCE UV_NO_PROGRESS UV_NATIVE_TLS UV_SYSTEM_CERTS
