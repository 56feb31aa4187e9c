# Quokka hands the leader's public address to every node, which then looks for
# Redis there. On EC2 such a packet leaves through the internet gateway and
# comes from an address that no group admits. So what goes from here to that
# address and port goes to the leader's private address instead.
to=$MUSTER_LEADER_IP:6800
if [ -z "${MUSTER_LEADER_PUBLIC_IP:-}" ]; then
    say "the leader has no public address: Quokka is given the private one"
elif [ "$MUSTER_LEADER_PUBLIC_IP" = "$MUSTER_LEADER_IP" ]; then
    say "the leader's public address is its private one"
elif command -v nft >/dev/null 2>&1; then
    # A table of muster's own, replaced in one transaction.
    as_root nft -f - <<END
table ip muster
delete table ip muster
table ip muster {
    chain output {
        type nat hook output priority -100; policy accept;
        ip daddr $MUSTER_LEADER_PUBLIC_IP tcp dport 6800 dnat to $to
    }
}
END
    say "nft: $MUSTER_LEADER_PUBLIC_IP:6800 goes to $to"
elif command -v iptables-restore >/dev/null 2>&1; then
    # Only muster's own chain is replaced, in one transaction; the rest stays.
    as_root iptables-restore --noflush <<END
*nat
:MUSTER - [0:0]
-A MUSTER -d $MUSTER_LEADER_PUBLIC_IP/32 -p tcp --dport 6800 -j DNAT --to-destination $to
COMMIT
END
    as_root iptables -t nat -C OUTPUT -j MUSTER 2>/dev/null || as_root iptables -t nat -A OUTPUT -j MUSTER
    say "iptables: $MUSTER_LEADER_PUBLIC_IP:6800 goes to $to"
else
    die "neither nft nor iptables is there: install nftables"
fi
