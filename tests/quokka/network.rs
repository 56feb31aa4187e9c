//! The network between the operator (this process) and the machines: a router
//! with a link to each. The machines have no other route out.

use std::{
    io::Write as _,
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use super::sandbox::shell;

/// Where the operator's connections come from.
pub const OPERATOR: &str = "203.0.113.10/32";
/// Where EC2's API answers, for the operator and for the machines.
pub const API: &str = "203.0.113.10:5000";
/// The router's end of the operator's link.
pub const OPERATOR_LINK: &str = "operator";

/// Creates the router, without machines.
pub fn lay() {
    shell(&format!(
        "ip netns add router
        ip link add wire type veth peer name {OPERATOR_LINK} netns router
        ip address add 203.0.113.10/24 dev wire
        ip link set wire up
        ip route add default via 203.0.113.1
        ip -n router link set lo up
        ip -n router address add 203.0.113.1/24 dev {OPERATOR_LINK}
        ip -n router link set {OPERATOR_LINK} up
        ip -n router route add unreachable default
        ip netns exec router sysctl -qw net.ipv4.ip_forward=1"
    ));
}

/// Creates the network namespace `name` for a machine with this single address.
///
/// All its packets go to the router, also those for its own subnet, so that
/// filtering happens in one place.
pub fn connect(name: &str, address: Ipv4Addr) {
    shell(&format!(
        "ip netns add {name}
        ip link add {name} netns router type veth peer name eth0 netns {name}
        ip -n {name} link set lo up
        ip -n {name} address add {address}/32 dev eth0
        ip -n {name} link set eth0 up
        ip -n {name} route add 169.254.1.1 dev eth0
        ip -n {name} route add default via 169.254.1.1
        ip -n router address add 169.254.1.1/32 dev {name}
        ip -n router link set {name} up
        ip -n router route add {address} dev {name}"
    ));
}

/// Removes it.
pub fn disconnect(name: &str) {
    // The link is removed at once, the namespace with its last process.
    shell(&format!("ip -n router link delete {name}; ip netns delete {name}"));
}

/// Loads `ruleset` into the router.
pub fn decide(ruleset: &str) {
    let mut nft = Command::new("ip");
    nft.args(["netns", "exec", "router", "nft", "-f", "-"]).stdin(Stdio::piped());
    let mut nft = nft.spawn().unwrap();
    nft.stdin.take().unwrap().write_all(ruleset.as_bytes()).unwrap();
    assert!(nft.wait().unwrap().success(), "{ruleset}");
}

/// Forwards connections to [`API`] to moto at `address`.
pub async fn proxy_api(address: String) {
    let listener = TcpListener::bind(API).await.unwrap();
    while let Ok((mut client, _)) = listener.accept().await {
        let Ok(mut server) = TcpStream::connect(&address).await else { return };
        tokio::spawn(async move { drop(copy_bidirectional(&mut client, &mut server).await) });
    }
}
