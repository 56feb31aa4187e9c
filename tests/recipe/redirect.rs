//! The redirect on a real kernel: in a network namespace, with nft and with both
//! kinds of iptables, without leftovers of previous redirects.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::node::text;
use crate::support::root::{did_not_run, missing, on_path};

const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("nft", "nftables"),
    ("iptables-nft", "iptables"),
    ("iptables-legacy", "iptables"),
    ("python3", "python3"),
];
/// The leader's private address. The host is the leader itself, because a redirect
/// works the same way on any node.
const PRIVATE: &str = "10.1.0.5";
const FIRST: &str = "203.0.113.9";
const SECOND: &str = "203.0.113.77";
/// Connects to port 6800 of several addresses, with a listener only at the private one.
const TRIES: &str = "
import socket, sys
listener = socket.create_server((sys.argv[1], 6800))
for address in sys.argv[2:]:
    try:
        socket.create_connection((address, 6800), 1).close()
        print(address)
    except OSError:
        pass
";

/// A host with its own network and mounts.
struct Host {
    first: Child,
    home: TempDir,
}

impl Host {
    fn new() -> Self {
        let mut first = Command::new("unshare");
        first.args(["--net", "--mount", "sh", "-c", "echo apart; exec cat"]);
        let mut first = first.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // Before it has its own namespaces, commands would act on ours.
        assert_eq!(line, "apart\n");
        let host = Self { first, home: tempfile::tempdir().unwrap() };
        host.shell(&format!(
            "ip link set lo up
            ip link add wire type veth peer name far
            ip address add {PRIVATE}/24 dev wire
            ip link set wire up
            ip link set far up
            ip route add default via 10.1.0.1"
        ));
        host
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first.id().to_string(), "--net", "--mount", program]);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.env("HOME", self.home.path()).stdin(Stdio::null());
        command
    }

    fn stdout(mut command: Command) -> String {
        let output = command.output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command:?}: {out}{err}");
        out.into_owned()
    }

    fn shell(&self, text: &str) -> String {
        let mut command = self.command("sh");
        command.args(["-euc", text]);
        Self::stdout(command)
    }

    /// Hides nft from the host.
    fn hide_nft(&self) {
        let path = on_path("nft").unwrap();
        self.shell(&format!("mount --bind /dev/null {}", path.display()));
    }

    /// Makes this kind of iptables the host's default.
    fn take_iptables(&self, kind: &str) {
        for name in ["iptables", "iptables-restore"] {
            let of_kind = name.replacen("iptables", &format!("iptables-{kind}"), 1);
            let (own, other) = (on_path(name).unwrap(), on_path(&of_kind).unwrap());
            let (own, other) = (fs::canonicalize(own).unwrap(), fs::canonicalize(other).unwrap());
            if own != other {
                self.shell(&format!("mount --bind {} {}", other.display(), own.display()));
            }
        }
    }

    /// Runs the step with this public address of the leader, or without one if empty.
    fn redirect(&self, public: &str) -> String {
        let mut command = self.command("sh");
        command.args(["-c", &text("redirect")]);
        command.env("MUSTER_NODE", "us-west-2/head").env("MUSTER_LEADER", "us-west-2/head");
        command.env("MUSTER_LEADER_IP", PRIVATE).env("MUSTER_LEADER_PUBLIC_IP", public);
        Self::stdout(command)
    }

    /// Returns the public addresses that are redirected to the private one.
    fn leads(&self) -> Vec<String> {
        let mut command = self.command("python3");
        command.args(["-c", TRIES, PRIVATE, FIRST, SECOND]);
        Self::stdout(command).lines().map(str::to_owned).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.first.kill());
        drop(self.first.wait());
    }
}

/// Returns whether the test `name` can run here.
fn can(name: &str) -> bool {
    let what = missing(PROGRAMS);
    if let Some(what) = &what {
        did_not_run(name, what);
    }
    what.is_none()
}

/// Redirects twice to the same address, to another one, and to none: there is never
/// more than one redirect, and none is left. `rules` returns all rules.
fn is_renewed(host: &Host, rules: impl Fn() -> String, word: &str) {
    let nothing = rules();
    assert_eq!(host.leads(), [""; 0]);
    for public in [FIRST, FIRST, SECOND] {
        let output = host.redirect(public);
        assert!(
            output.contains(&format!("{word}: {public}:6800 goes to {PRIVATE}:6800")),
            "{output}"
        );
        assert_eq!(host.leads(), [public], "{}", rules());
        let rules = rules();
        assert_eq!(rules.matches(":6800").count(), 1, "{rules}");
        assert_eq!(rules.matches("203.0.113.").count(), 1, "{rules}");
    }
    let output = host.redirect("");
    assert!(output.contains("no public address"), "{output}");
    assert_eq!(host.leads(), [""; 0]);
    assert_eq!(rules(), nothing, "nothing is left");
    host.redirect("");
}

#[test]
fn by_nft_it_is_replaced_and_taken_away() {
    if can("recipe::redirect::by_nft_it_is_replaced_and_taken_away") {
        let host = Host::new();
        host.shell("nft add table ip other");
        is_renewed(&host, || host.shell("nft list ruleset"), "nft");
    }
}

/// Without nft. Other rules in the same table are kept.
#[test]
fn by_iptables_it_is_replaced_and_taken_away() {
    if can("recipe::redirect::by_iptables_it_is_replaced_and_taken_away") {
        for kind in ["nft", "legacy"] {
            let host = Host::new();
            host.take_iptables(kind);
            host.hide_nft();
            host.shell(
                "iptables -t nat -N DOCKER; iptables -t nat -A OUTPUT -d 10.9.0.0/16 -j DOCKER",
            );
            let rules = || host.shell("iptables -t nat -S");
            is_renewed(&host, rules, "iptables");
            assert!(rules().contains("-j DOCKER"), "{kind}: {}", rules());
            host.redirect(FIRST);
            let jumps = rules().matches("-A OUTPUT -j MUSTER").count();
            assert_eq!(jumps, 1, "{kind}: {}", rules());
        }
    }
}

/// nftables was installed since.
#[test]
fn iptables_rules_are_removed_where_nft_exists() {
    if can("recipe::redirect::iptables_rules_are_removed_where_nft_exists") {
        for kind in ["nft", "legacy"] {
            let host = Host::new();
            host.take_iptables(kind);
            let nft = on_path("nft").unwrap();
            host.hide_nft();
            host.redirect(FIRST);
            host.shell(&format!("umount {}", nft.display()));
            assert!(host.redirect(SECOND).contains("nft: "));
            assert_eq!(host.leads(), [SECOND], "{kind}: {}", host.shell("iptables -t nat -S"));
            assert!(!host.shell("iptables -t nat -S").contains("MUSTER"), "{kind}");
        }
    }
}
