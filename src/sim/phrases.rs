//! What scripts print that no scenario knows: the output that their commands
//! usually give, so that a recipe of the user's own can be watched in the demo.

use crate::remote::Script;

use super::{dice, script::Player};

/// As many lines as a step prints at most when it is improvised.
const MOST_LINES: usize = 24;

/// Lines for `script`, and the seconds that it takes. The same node
/// and step always give the same.
pub(super) fn improvise(script: &Script, player: &Player<'_>, step: &str) -> (Vec<String>, f64) {
    if let Some(checks) = verification(script, player) {
        return (checks, 4.0 + 3.0 * dice::unit(&[player.node.as_str(), step, "takes"]));
    }
    let text = &script.text;
    let mut lines = Vec::new();
    let mut takes = 0.4 + dice::unit(&[player.node.as_str(), step, "takes"]);
    for command in commands(text) {
        let (printed, seconds) = phrase(&command, player);
        let varied = 0.8 + 0.4 * dice::unit(&[player.node.as_str(), step, &command]);
        lines.extend(printed);
        takes += seconds * varied;
    }
    lines.truncate(MOST_LINES);
    (lines, takes)
}

/// What a script that verifies finds in a world where all is well; `None` where
/// it does no such thing.
fn verification(script: &Script, player: &Player<'_>) -> Option<Vec<String>> {
    let given = |name: &str| script.env.get(name).map(String::as_str);
    let nodes: Vec<(&str, &str)> =
        given("MUSTER_NODES")?.lines().filter_map(|line| line.split_once(' ')).collect();
    let (leader, ip) = (given("MUSTER_LEADER")?, given("MUSTER_LEADER_IP")?);
    let public = given("MUSTER_LEADER_PUBLIC_IP").unwrap_or(ip);
    if !script.text.contains("muster-check") {
        return None;
    }
    let (own, at) = (&player.node, &player.address);
    let others = || nodes.iter().filter(|(node, _)| *node != own.as_str());
    let python = given("MUSTER_PYTHON").unwrap_or("3.11");
    let mut lines = vec![
        format!("muster-check versions - ok python {python}.9, ray 2.6.3, pyquokka 0.3.2"),
        format!("muster-check gcs {leader} ok {ip}:6380"),
        format!("muster-check ray-node {own} ok alive at {at}"),
    ];
    let alive =
        |(node, ip): &(&str, &str)| format!("muster-check ray-node {node} ok alive at {ip}");
    if own.as_str() == leader {
        lines.extend(others().map(alive));
    }
    lines.push(format!("muster-check redis {leader} ok PONG from {public}:6800"));
    lines.extend(others().map(|(node, ip)| format!("muster-check flight {node} ok {ip}:5005")));
    if own.as_str() == leader {
        lines.push(format!("muster-check ray-client {leader} ok {ip}:10001"));
    }
    Some(lines)
}

/// The simple commands of a shell text: its lines, split at `&&` and `;`,
/// without comments, redirections and what else surrounds a command. Quotes
/// are not parsed, except that a line that prints stays whole.
fn commands(text: &str) -> Vec<String> {
    let prints = |line: &str| line.starts_with("printf ") || line.starts_with("echo ");
    let parts = |line: &str| -> Vec<String> {
        if prints(line) {
            return vec![line.to_owned()];
        }
        line.split("&&").flat_map(|part| part.split("; ")).map(simple).collect()
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.flat_map(parts).filter(|command| !command.is_empty()).collect()
}

/// A command without what it does on failure, where its output goes, and `sudo`.
fn simple(part: &str) -> String {
    let command = part.split(" || ").next().unwrap_or_default();
    let command = command.split(" 3>").next().unwrap_or_default();
    command.trim().trim_end_matches('\'').trim_start_matches("sudo ").trim().to_owned()
}

/// What `command` prints and the seconds that it takes.
fn phrase(command: &str, player: &Player<'_>) -> (Vec<String>, f64) {
    let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches('\'')).collect();
    let names = || words.iter().copied().filter(|word| !word.starts_with('-'));
    match words.as_slice() {
        ["printf", "%s\\n", rest @ ..] => (vec![rest.join(" ")], 0.1),
        ["echo", rest @ ..] => (vec![rest.join(" ").replace('"', "")], 0.1),
        ["apt-get" | "apt", rest @ ..] if rest.contains(&"update") => (apt_update(), 4.0),
        ["apt-get" | "apt", rest @ ..] if rest.contains(&"install") => {
            let packages: Vec<&str> = names().skip(2).collect();
            (apt_install(&packages), 6.0 + count(&packages))
        }
        _ if words.iter().any(|word| ["pip", "pip3"].contains(word))
            && words.contains(&"install") =>
        {
            let at = words.iter().position(|word| *word == "install").unwrap_or(0);
            let packages: Vec<&str> =
                words[at + 1..].iter().copied().filter(|word| !word.starts_with('-')).collect();
            (pip_install(&packages), 5.0 + 2.0 * count(&packages))
        }
        ["hostname"] => (vec![format!("ip-{}", player.address.replace('.', "-"))], 0.1),
        ["uptime"] => (vec![" 14:09:02 up 5 min,  0 users,  load average: 0.42, 0.31".into()], 0.1),
        ["ray", "stop", ..] => (vec!["Did not find any active Ray processes.".into()], 1.0),
        ["ray", "start", rest @ ..] if rest.contains(&"--head") => (ray_head(&player.address), 4.0),
        ["ray", "start", ..] => (ray_member(&player.address), 2.0),
        _ => (Vec::new(), 0.2),
    }
}

fn count(packages: &[&str]) -> f64 {
    packages.iter().map(|_| 1.0).sum()
}

fn apt_update() -> Vec<String> {
    let suites = ["noble", "noble-updates", "noble-security"];
    let mut lines: Vec<String> = (1..)
        .zip(suites)
        .map(|(n, suite)| format!("Hit:{n} http://archive.ubuntu.com/ubuntu {suite} InRelease"))
        .collect();
    lines.push("Reading package lists...".into());
    lines
}

fn apt_install(packages: &[&str]) -> Vec<String> {
    let mut lines =
        vec!["Reading package lists...".to_owned(), "Building dependency tree...".into()];
    lines.push("The following NEW packages will be installed:".into());
    lines.push(format!("  {}", packages.join(" ")));
    lines.extend(packages.iter().map(|package| format!("Unpacking {package} ...")));
    lines.extend(packages.iter().map(|package| format!("Setting up {package} ...")));
    lines
}

fn pip_install(packages: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = packages
        .iter()
        .map(|package| format!("Collecting {}", package.trim_matches('"')))
        .collect();
    lines.push(format!("Installing collected packages: {}", bare(packages).join(", ")));
    lines.push(format!("Successfully installed {}", bare(packages).join(" ")));
    lines
}

/// Package names without versions and extras.
fn bare<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    packages
        .iter()
        .map(|package| {
            package.trim_matches('"').split(['=', '<', '>', '[']).next().unwrap_or(package)
        })
        .collect()
}

fn ray_head(address: &str) -> Vec<String> {
    vec![
        "Usage stats collection is disabled.".into(),
        format!("Local node IP: {address}"),
        "--------------------".into(),
        "Ray runtime started.".into(),
        "--------------------".into(),
    ]
}

fn ray_member(address: &str) -> Vec<String> {
    vec![format!("Local node IP: {address}"), "Ray runtime started.".into()]
}
