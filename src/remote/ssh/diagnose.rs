//! Reads what ssh wrote before it gave up. OpenSSH has one exit status, 255,
//! for everything, so its words are all there is to go by.

use std::path::Path;

use crate::remote::RemoteErrorKind as Kind;

/// The longest message that is passed on, in characters.
const LONGEST: usize = 600;

/// Classifies the output of an ssh that could not connect. `key` is the private key it was given.
pub fn connect_failed(output: &str, key: Option<&Path>) -> (Kind, String) {
    if is_host_key_refused(output) {
        (Kind::HostKeyChanged, host_key_changed(output))
    } else if let Some(line) = key.and_then(|key| unusable(key, output)) {
        (Kind::Local, summary(line))
    } else if is_local(output) {
        (Kind::Local, summary(output))
    } else if let Some(line) = denied(output) {
        (Kind::Denied, summary(line))
    } else if is_silent(output) {
        let message = "the node does not answer: connected, but no SSH banner within 5 s";
        (Kind::Unresponsive, message.to_owned())
    } else {
        (Kind::Unreachable, summary(output))
    }
}

fn is_host_key_refused(output: &str) -> bool {
    output.contains("REMOTE HOST IDENTIFICATION HAS CHANGED")
        || output.contains("Host key verification failed")
}

/// The line in which the node denies access; a banner may precede it.
fn denied(output: &str) -> Option<&str> {
    let denials = ["Permission denied (", "Too many authentication failures"];
    output.lines().find(|line| denials.iter().any(|words| line.contains(words)))
}

/// Whether the node took the connection and then sent nothing. Through a proxy
/// that looks like a proxy that does not reach the node.
fn is_silent(output: &str) -> bool {
    let by_proxy = output.contains("UNKNOWN port");
    output.contains("timed out during banner exchange") && !by_proxy
}

/// Whether the failure is local, so that the same call fails again whatever the node does.
fn is_local(output: &str) -> bool {
    let output = output.to_lowercase();
    [
        "bad configuration option",
        "bad owner or permissions on",
        "can't open user config file",
        "too long for unix domain socket",
        "unix_listener",
        "name or service not known",
        "nodename nor servname provided",
        "unable to negotiate with",
        // A ProxyCommand's, as the shells say it.
        ": not found",
        "command not found",
        "unsupported option",
        "missing argument",
    ]
    .iter()
    .any(|words| output.contains(words))
        || output.lines().any(|line| line.contains(": line ") || line.starts_with("command-line: "))
}

/// The line in which ssh reports that it can't use this key file.
fn unusable<'a>(key: &Path, output: &'a str) -> Option<&'a str> {
    let key = key.to_string_lossy();
    output.lines().find(|line| {
        line.contains(&*key) && (line.starts_with("Load key ") || line.contains("not accessible"))
    })
}

fn host_key_changed(output: &str) -> String {
    let offending = output.lines().find_map(|line| {
        let (_, place) = line.trim().strip_prefix("Offending ")?.split_once(" key in ")?;
        Some(place.to_owned())
    });
    match offending {
        Some(place) => format!("the host key is not the one pinned in {place}"),
        None => format!("the host key could not be verified: {}", summary(output)),
    }
}

/// Joins the output into one line. Its last lines are nearest to the cause.
pub fn summary(output: &str) -> String {
    let lines: Vec<_> = output
        .lines()
        .map(|line| line.trim().trim_start_matches("ssh: "))
        .filter(|line| !line.is_empty() && !is_chatter(line))
        .collect();
    let text = lines[lines.len().saturating_sub(4)..].join("; ");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// The frame of a warning, the note that a host key was pinned, and newer
/// versions' opinion of the key exchange.
fn is_chatter(line: &str) -> bool {
    ["@", "Warning: Permanently added ", "** "].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Kind, connect_failed};

    #[test]
    fn classifies_the_output_of_openssh() {
        for (output, expected) in [
            ("ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n", Kind::Unreachable),
            ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", Kind::Unreachable),
            ("ssh: connect to host 10.0.0.1 port 22: No route to host", Kind::Unreachable),
            // macOS prints this for an unreachable network; it is no answer of a node.
            ("ssh: connect to host 10.0.0.1 port 22: Permission denied", Kind::Unreachable),
            ("kex_exchange_identification: read: Connection reset by peer", Kind::Unreachable),
            ("Connection timed out during banner exchange", Kind::Unresponsive),
            (
                "Connection timed out during banner exchange\nConnection to UNKNOWN port 65535 timed out",
                Kind::Unreachable,
            ),
            ("ubuntu@10.0.0.1: Permission denied (publickey).", Kind::Denied),
            (
                "Received disconnect from ::1 port 22:2: Too many authentication failures",
                Kind::Denied,
            ),
            ("Host key verification failed.", Kind::HostKeyChanged),
            ("/c: line 1: Bad configuration option: prot\n/c: terminating, 1 bad", Kind::Local),
            ("/c line 2: missing argument.", Kind::Local),
            ("ssh: Could not resolve hostname bastion: Name or service not known", Kind::Local),
            (
                "ssh: Could not resolve hostname bastion: Temporary failure in name resolution",
                Kind::Unreachable,
            ),
            ("sh: 1: exec: cloudflared: not found\nConnection closed by UNKNOWN", Kind::Local),
            ("", Kind::Unreachable),
        ] {
            assert_eq!(connect_failed(output, None).0, expected, "{output}");
        }
    }

    #[test]
    fn a_key_file_that_ssh_refuses_is_a_local_trouble() {
        let output = "Load key \"/k/id\": error in libcrypto\nu@h: Permission denied (publickey).";
        assert_eq!(connect_failed(output, Some(Path::new("/k/id"))).0, Kind::Local);
        assert_eq!(connect_failed(output, Some(Path::new("/k/other"))).0, Kind::Denied);
    }

    #[test]
    fn a_changed_host_key_names_the_pinned_one() {
        let output = "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\n\
                    Offending ED25519 key in /state/a b/known_hosts:3\r\nHost key verification failed.";
        let (kind, message) = connect_failed(output, None);
        assert_eq!(kind, Kind::HostKeyChanged);
        assert_eq!(message, "the host key is not the one pinned in /state/a b/known_hosts:3");
    }

    #[test]
    fn a_banner_is_not_the_cause() {
        let output = "Warning: Permanently added 'i-1' (ED25519) to the list of known hosts.\n\
                    *** Authorized users only ***\nu@h: Permission denied (publickey).\n";
        let (kind, message) = connect_failed(output, None);
        assert_eq!((kind, &*message), (Kind::Denied, "u@h: Permission denied (publickey)."));
    }

    #[test]
    fn a_message_is_one_short_line() {
        let output = format!("one\r\n\u{1b}[31mtwo\n{}", "x".repeat(2000));
        let (_, message) = connect_failed(&output, None);
        assert!(message.starts_with("one;  [31mtwo; xxx"), "{message}");
        assert_eq!(message.chars().count(), super::LONGEST);
    }
}
