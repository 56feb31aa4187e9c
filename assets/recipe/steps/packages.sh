# What Quokka's parts need of the system: Redis on the leader; everywhere a
# Python that can make environments, and nftables for the redirect.
case $(system) in
    apt) packages="python3 python3-venv nftables" redis=redis-server ;;
    amazon) packages="python3 nftables" redis=redis6 ;;
    rpm) packages="python3 nftables" redis=redis ;;
    *) system && exit 1 ;;
esac

fresh=
if is_leader; then
    program redis-server redis6-server >/dev/null || fresh=yes
    packages="$packages $redis"
fi
# shellcheck disable=SC2086 # one word for each package
install_packages $packages

# A package starts a Redis of its own, without need. One that was there before stays.
if [ -n "$fresh" ] && command -v systemctl >/dev/null 2>&1; then
    as_root systemctl disable --now "$redis" >/dev/null 2>&1 || true
fi
