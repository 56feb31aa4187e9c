# The folder that nodes spill to, on the instance's own NVMe disks if it has
# some: several are striped (RAID 0). An existing filesystem is kept and
# mounted, a disk that holds anything else is left alone, and without a disk
# it is a folder of the root volume. Nothing is written to /etc/fstab: the
# disks lose their content with every stop of the instance.
dir=$MUSTER_SPILL_DIR
array=/dev/md/muster-spill

own() {
    as_root chown "$(id -u):$(id -g)" "$dir"
    df -h "$dir" || true
}

mount_it() {
    say "mounting $1 at $dir"
    as_root mount -o noatime "$1" "$dir"
    own
    exit 0
}

# Plain low-level probing: `data`, `empty`, or the type of what is on $1.
content() {
    status=0
    found=$(as_root blkid -p -o value -s TYPE "$1" 2>/dev/null) || status=$?
    case $status in
        # Without a type it is a table of partitions.
        0) printf '%s\n' "${found:-data}" ;;
        2)
            # No signature that blkid knows: only zeros count as empty.
            if [ "$(as_root head -c 1048576 "$1" | tr -d '\000' | head -c 1 | wc -c)" -eq 0 ]; then
                echo empty
            else
                echo data
            fi
            ;;
        *) echo data ;;
    esac
}

format() {
    say "making a filesystem on $1"
    as_root mkfs.ext4 -q -m 0 -L muster-spill -E nodiscard "$1"
    mount_it "$1"
}

need_mdadm() { command -v mdadm >/dev/null 2>&1 || install_packages mdadm; }

# The array that runs on $1, if one does.
array_on() { lsblk -nrp -o NAME,TYPE "$1" | awk '$2 ~ /^raid/ { print $1; exit }'; }

# Whether muster made the array $1. Its device may have any name after a restart.
is_own() { as_root mdadm --detail --export "$1" 2>/dev/null | grep -Eq '^MD_NAME=([^:]*:)?muster-spill$'; }

as_root mkdir -p "$dir"
if mountpoint -q "$dir"; then
    say "$dir is mounted already"
    own
    exit 0
fi

# NAME TYPE MODEL, spaces within as \x20. EBS volumes are another model.
disks=$(lsblk -dnpr -o NAME,TYPE,MODEL |
    awk '$2 == "disk" && $3 ~ /Amazon.*EC2.*NVMe.*Instance.*Storage/ { print $1 }')
empty=
count=0
for disk in $disks; do
    if lsblk -nr -o MOUNTPOINT "$disk" | grep -q .; then
        say "$disk is in use"
        continue
    fi
    kind=$(content "$disk")
    case $kind in
        empty)
            empty="$empty $disk"
            count=$((count + 1))
            ;;
        ext4 | ext3 | xfs | btrfs) mount_it "$disk" ;;
        linux_raid_member)
            # An array of an earlier run comes back by itself after a restart, or here.
            raid=$(array_on "$disk")
            if [ -z "$raid" ]; then
                (need_mdadm) || true
                as_root mdadm --assemble --scan || true
                raid=$(array_on "$disk")
            fi
            [ -n "$raid" ] || { say "$disk belongs to an array that can't be assembled: left alone"; continue; }
            case $(content "$raid") in
                ext4 | ext3 | xfs | btrfs) mount_it "$raid" ;;
                # Cut off between its making and its filesystem.
                empty) ! is_own "$raid" || format "$raid" ;;
            esac
            say "$raid holds data: left alone"
            ;;
        *) say "$disk holds data ($kind): left alone" ;;
    esac
done

# shellcheck disable=SC2086 # one word for each disk
case $count in
    0)
        say "no free instance-store disk: $dir is a folder of the root volume"
        own
        ;;
    1) format $empty ;;
    *)
        need_mdadm
        say "striping$empty"
        as_root mdadm --create "$array" --run --level=0 --raid-devices="$count" \
            --name=muster-spill $empty
        format "$array"
        ;;
esac
