//! The ports of a Ray that a config's own commands start: those that the options
//! of `ray start` name, and Ray's defaults.

use crate::{cloud::PortRange, config::Commands};

use super::{ALL, NodePorts, Nodes};

/// Ray's own default port of GCS.
const GCS: u16 = 6379;
/// The options without which Ray takes random ports that other nodes connect to.
const NEEDED: [&str; 2] = ["--node-manager-port", "--object-manager-port"];

/// The options of `ray start` that concern ports, as the commands give them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    options: Vec<(String, String)>,
    leader: bool,
}

impl Started {
    /// Reads the commands that a node runs.
    pub fn read(commands: &Commands, leader: bool) -> Self {
        let list = if leader { &commands.head_start_ray } else { &commands.worker_start_ray };
        let options = list.iter().flat_map(|command| options(command)).collect();
        Self { options, leader }
    }

    /// What the other nodes need of it.
    pub fn node_ports(&self) -> NodePorts {
        let own = |name: &str| self.number(name);
        let one = |port: u16| PortRange { from: port, to: port };
        let mut pinned: Vec<_> = NEEDED.into_iter().filter_map(own).map(one).collect();
        let workers = PortRange {
            from: own("--min-worker-port").unwrap_or(10002),
            to: own("--max-worker-port").unwrap_or(19999),
        };
        match self.value("--worker-port-list") {
            Some(list) => {
                pinned.extend(list.split(',').filter_map(|port| port.parse().ok()).map(one));
            }
            None if workers.from <= workers.to => pinned.push(workers),
            None => {}
        }
        if self.leader {
            pinned.push(one(own("--port").unwrap_or(GCS)));
        }
        // Redis and Flight are the recipe's in any case.
        let ours = ALL.iter().filter(|row| matches!(row.what, "Redis" | "Arrow Flight"));
        let here = ours.filter(|row| self.leader || row.on == Nodes::Every);
        pinned.extend(here.map(|row| row.ports));
        let unpinned = NEEDED.into_iter().filter(|name| own(name).is_none()).collect();
        NodePorts { pinned, unpinned }
    }

    /// A port; 0 and variables are none that is known.
    fn number(&self, name: &str) -> Option<u16> {
        self.value(name)?.parse().ok().filter(|port| *port != 0)
    }

    /// The last one counts, as with Ray.
    fn value(&self, name: &str) -> Option<&str> {
        let given = self.options.iter().rev().find(|(own, _)| own == name);
        given.map(|(_, value)| value.as_str())
    }
}

/// The options behind `ray start` in a command, each with its value.
fn options(command: &str) -> Vec<(String, String)> {
    let words = shell_words::split(command)
        .unwrap_or_else(|_| command.split_whitespace().map(str::to_owned).collect());
    let is_ray = |word: &str| word == "ray" || word.ends_with("/ray");
    let start = words.windows(2).position(|pair| is_ray(&pair[0]) && pair[1] == "start");
    let Some(start) = start else { return Vec::new() };
    let behind = &words[start + 2..];
    let pair = |(index, word): (usize, &String)| {
        let name = word.strip_prefix("--")?;
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (name, behind.get(index + 1).cloned().unwrap_or_default()),
        };
        Some((format!("--{name}"), value.trim_end_matches(';').to_owned()))
    };
    behind.iter().enumerate().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(command: &str, leader: bool) -> NodePorts {
        let list = vec!["ray stop".to_owned(), command.to_owned()];
        let commands = Commands {
            head_start_ray: list.clone(),
            worker_start_ray: list,
            ..Commands::default()
        };
        let mut ports = Started::read(&commands, leader).node_ports();
        ports.pinned.sort_by_key(|range| range.from);
        ports
    }

    fn numbers(ports: &NodePorts) -> Vec<String> {
        ports.pinned.iter().map(|range| super::super::numbers(*range)).collect()
    }

    #[test]
    fn options_that_are_given_count() {
        let command = "ulimit -n 65536; ray start --head --port=6390 --object-manager-port=8076 \
                       --node-manager-port 8077 --min-worker-port=11000 --max-worker-port=11999";
        let ports = of(command, true);
        assert_eq!(numbers(&ports), ["5005", "6390", "6800", "8076", "8077", "11000-11999"]);
        assert_eq!(ports.unpinned, [""; 0]);
    }

    #[test]
    fn what_is_left_to_chance_is_named() {
        let ports = of("/opt/ray/bin/ray start --address=$RAY_HEAD_IP:6379", false);
        assert_eq!(numbers(&ports), ["5005", "10002-19999"]);
        assert_eq!(ports.unpinned, ["--node-manager-port", "--object-manager-port"]);
        let zero = of("ray start --node-manager-port=0 --object-manager-port=$PORT", false);
        assert_eq!(zero.unpinned.len(), 2);
        let list = of("ray start --head --worker-port-list=7001,7002", true);
        assert_eq!(numbers(&list), ["5005", "6379", "6800", "7001", "7002"]);
    }
}
