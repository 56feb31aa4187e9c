#!/bin/bash
# The first process of a node, already in its own process id, mount, host name
# and network namespaces (`ip netns exec NAME unshare ...`). Its root is an overlay
# over this machine's, so that nodes can write anywhere, do not see each other,
# and leave nothing behind.
#
#   bash -c ... node FOLDER PRIVATE_IP [READABLE]...
#
# FOLDER holds the node's disk (`upper`), its host key, and what sshd needs; it
# survives a stop. READABLE folders are mounted from this machine.
set -euo pipefail
folder=$1 address=$2
shift 2
root=$folder/root
mkdir -p "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
for each in /dev/shm /tmp /run; do mount -t tmpfs tmpfs "$root$each"; done
chmod 1777 "$root/tmp" "$root/dev/shm"
for each in "$@"; do
  mkdir -p "$root$each"
  mount --bind "$each" "$root$each"
  mount -o remount,bind,ro "$root$each"
done
# A boot id of its own: muster detects a restart by it.
cat /proc/sys/kernel/random/uuid >"$folder/boot_id"
mount --bind "$folder/boot_id" "$root/proc/sys/kernel/random/boot_id"

hostname "ip-${address//./-}"
mkdir -p "$root/run/sshd" "$root/root"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$(hostname)" >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
cp "$folder/sshd_config" "$folder/host_key" "$folder/authorized_keys" "$root/run/sshd/"
chmod 600 "$root/run/sshd/host_key"
# A shell stays the first process, to reap orphans.
exec chroot "$root" /bin/bash -c '/usr/sbin/sshd -D -e -f /run/sshd/sshd_config & wait'
