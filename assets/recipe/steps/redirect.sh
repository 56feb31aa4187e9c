# Quokka hands the leader's public address to every node, which then looks for
# Redis there. On EC2 such a packet leaves through the internet gateway and
# comes from an address that no group admits. So what goes from here to that
# address and port goes to the leader's private address instead. The address is
# another one after every stop: the redirect to the last one never stays.
public=${MUSTER_LEADER_PUBLIC_IP:-}
port=$MUSTER_PORT_REDIS
to=$MUSTER_LEADER_IP:$port

forget_nft() {
    command -v nft >/dev/null 2>&1 || return 0
    printf '%s\n' 'table ip muster' 'delete table ip muster' | as_root nft -f -
}

# `-w`: other programs hold the lock of iptables for moments.
forget_iptables() {
    command -v iptables >/dev/null 2>&1 || return 0
    as_root iptables -w 10 -t nat -S MUSTER >/dev/null 2>&1 || return 0
    as_root iptables -w 10 -t nat -D OUTPUT -j MUSTER || true
    as_root iptables -w 10 -t nat -F MUSTER
    as_root iptables -w 10 -t nat -X MUSTER
}

if [ -z "$public" ] || [ "$public" = "$MUSTER_LEADER_IP" ]; then
    forget_nft
    forget_iptables
    if [ -z "$public" ]; then
        say "the leader has no public address: Quokka is given the private one"
    else
        say "the leader's public address is its private one"
    fi
elif command -v nft >/dev/null 2>&1; then
    # A table of muster's own, replaced in one transaction.
    as_root nft -f - <<END
table ip muster
delete table ip muster
table ip muster {
    chain output {
        type nat hook output priority -100; policy accept;
        ip daddr $public tcp dport $port dnat to $to
    }
}
END
    forget_iptables
    say "nft: $public:$port goes to $to"
elif command -v iptables-restore >/dev/null 2>&1; then
    # Only muster's own chain is replaced, in one transaction; the rest stays.
    as_root iptables-restore -w 10 --noflush <<END
*nat
:MUSTER - [0:0]
-A MUSTER -d $public/32 -p tcp --dport $port -j DNAT --to-destination $to
COMMIT
END
    as_root iptables -w 10 -t nat -C OUTPUT -j MUSTER 2>/dev/null ||
        as_root iptables -w 10 -t nat -A OUTPUT -j MUSTER
    say "iptables: $public:$port goes to $to"
else
    die "neither nft nor iptables is there: install nftables"
fi
