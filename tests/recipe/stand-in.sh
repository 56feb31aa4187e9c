#!/bin/sh
# Replaces every program that would change the machine: appends its arguments to
# $CALLS, and imitates as much of the program as the caller checks. Its state is
# in $STATE.
name=${0##*/}
printf '%s\n' "$name $*" >>"$CALLS"

become() { ln -sf "$SELF" "$1"; }
has() { [ -e "$STATE/$1" ]; }
print_state() { [ ! -e "$STATE/$1" ] || cat "$STATE/$1"; }

installed() { for word; do : >"$STATE/has-${word##*/}"; done; }

held() {
    left=$(print_state "lock")
    [ "${left:-0}" -gt 0 ] || return 1
    echo "$((left - 1))" >"$STATE/lock"
}

case $name in
    sudo)
        shift
        exec "$@"
        ;;
    cloud-init) echo "status: done" ;;
    systemctl | chown) ;;
    df) echo "Filesystem Size Used Avail" ;;
    apt-get)
        if held; then
            echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (unattended-upgr)"
            exit 100
        fi
        case " $* " in *" install "*) installed "$@" ;; esac
        ;;
    dnf)
        if held; then echo "Waiting for process with pid 42 to finish."; exit 200; fi
        case " $* " in *" install "*) installed "$@" ;; esac
        ;;
    dpkg-query)
        for word; do last=$word; done
        has "has-$last" && printf 'install ok installed'
        ;;
    rpm) has "has-$2" ;;
    lsblk)
        for word; do last=$word; done
        case " $* " in
            *MODEL*) print_state disks ;;
            *MOUNTPOINT*) print_state "mounted-${last##*/}" ;;
            *) print_state "children-${last##*/}" ;;
        esac
        ;;
    blkid)
        for word; do last=$word; done
        has "kind-${last##*/}" || exit 2
        print_state "kind-${last##*/}"
        ;;
    mountpoint) has mounted ;;
    mount) : >"$STATE/mounted" ;;
    mkfs.ext4) for word; do last=$word; done; echo ext4 >"$STATE/kind-${last##*/}" ;;
    mdadm)
        case $1 in
            # The array that $STATE/assembles names, of all existing members.
            --assemble)
                has assembles || { echo "mdadm: No arrays found"; exit 1; }
                for member in $(grep -l linux_raid_member "$STATE"/kind-*); do
                    echo "$(print_state assembles) raid0" >"$STATE/children-${member##*/kind-}"
                done
                ;;
            --detail) print_state details ;;
        esac
        ;;
    nft | iptables-restore) cat >"$STATE/$name" ;;
    iptables) case " $* " in *" -C "* | *" -S "*) exit 1 ;; esac ;;
    redis-server | redis6-server) : >"$STATE/redis" ;;
    redis-cli | redis6-cli) if has redis; then echo PONG; else exit 1; fi ;;
    ray) echo "$RAY_OVERRIDE_RESOURCES" >"$STATE/resources" ;;
    pip)
        for word; do last=$word; done
        sed -n 's/^uv==\([^ ]*\).*/uv \1/p' "$last" >"$STATE/uv-version"
        become "${0%/*}/uv"
        ;;
    uv)
        case "$1 $2" in
            "--version ") cat "$STATE/uv-version" ;;
            "venv --python")
                mkdir -p "$4/bin" "$4/lib/python$3/site-packages"
                echo "$3" >"$4/minor"
                for program in python3 ray; do become "$4/bin/$program"; done
                ;;
            "pip install")
                for word; do last=$word; done
                cp "$last" "$STATE/${last##*/}"
                if grep -q no-such-package "$last"; then
                    echo "  x No solution found when resolving dependencies: no-such-package was not found"
                    exit 1
                fi
                ;;
        esac
        ;;
    python3)
        case "$*" in
            "-m venv "*) mkdir -p "$3/bin"; become "$3/bin/pip" ;;
            *version_info*) cat "${0%/*}/../minor" ;;
            *find_spec*) echo "$STATE" ;;
            *flight.py) exec sleep 1000 ;;
            "-u -")
                cat >/dev/null
                print_state checks
                ! has checks-fail || exit 1
                ;;
        esac
        ;;
esac
