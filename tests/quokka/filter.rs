//! What the router lets through: routes, peering connections and security groups, as
//! EC2 describes them, as nftables rules. Pure functions.

use std::{fmt::Write as _, net::Ipv4Addr};

use super::network::{API, OPERATOR, OPERATOR_LINK};

/// A running instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its private address, the only one that it knows.
    pub private: Ipv4Addr,
    /// The public address that is routed to it.
    pub public: Option<Ipv4Addr>,
    /// Its VPC.
    pub vpc: String,
    /// Its security groups.
    pub groups: Vec<String>,
}

/// What a security group admits.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// The group.
    pub group: String,
    /// `tcp`, `udp`, `icmp`, or `-1` for everything.
    pub protocol: String,
    /// The first and the last port.
    pub ports: Option<(i32, i32)>,
    /// Blocks of addresses.
    pub cidrs: Vec<String>,
    /// Members of groups.
    pub groups: Vec<String>,
}

/// The network as EC2 describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// All running instances.
    pub instances: Vec<Instance>,
    /// What all groups admit.
    pub admissions: Vec<Admission>,
    /// Pairs of VPCs with a route from the first to the second.
    pub ways: Vec<(String, String)>,
}

impl Network {
    /// Returns whether packets can pass in both directions.
    fn connected(&self, from: &Instance, to: &Instance) -> bool {
        let way =
            |a: &str, b: &str| a == b || self.ways.iter().any(|(from, to)| from == a && to == b);
        way(&from.vpc, &to.vpc) && way(&to.vpc, &from.vpc)
    }

    /// Renders the complete ruleset, which replaces the previous one.
    pub fn ruleset(&self) -> String {
        let mut text = String::from("table ip muster\ndelete table ip muster\ntable ip muster {\n");
        text += "chain in { type nat hook prerouting priority dstnat;\n";
        for one in &self.instances {
            let Some(public) = one.public else { continue };
            // From the operator's side only: what a node sends to a public
            // address finds no route.
            let rule = format!("iifname {OPERATOR_LINK} ip daddr {public} dnat to {}", one.private);
            writeln!(text, "{rule}").unwrap();
        }
        text += "}\nchain through { type filter hook forward priority filter; policy drop;\n";
        text += "ct state established,related accept\n";
        // The operator can't reach private addresses directly.
        writeln!(text, "iifname {OPERATOR_LINK} ct status & dnat != dnat {UNREACHABLE}").unwrap();
        let (api, port) = API.split_once(':').unwrap();
        writeln!(text, "ip daddr {api} tcp dport {port} accept").unwrap();
        for to in &self.instances {
            self.inbound(&mut text, to);
        }
        text + "}\n}\n"
    }

    /// Writes the rules for packets to one instance.
    fn inbound(&self, text: &mut String, to: &Instance) {
        let others = self.instances.iter().filter(|from| !self.connected(from, to));
        for from in others {
            writeln!(text, "ip saddr {} ip daddr {} {UNREACHABLE}", from.private, to.private)
                .unwrap();
        }
        for admission in &self.admissions {
            if !to.groups.contains(&admission.group) {
                continue;
            }
            let what = match (admission.protocol.as_str(), admission.ports) {
                ("-1", _) => String::new(),
                (protocol @ ("tcp" | "udp"), Some((first, last))) => {
                    format!("{protocol} dport {first}-{last} ")
                }
                (protocol, _) => format!("ip protocol {protocol} "),
            };
            for source in self.sources(admission) {
                writeln!(text, "ip saddr {source} ip daddr {} {what}accept", to.private).unwrap();
            }
        }
    }

    fn sources(&self, admission: &Admission) -> Vec<String> {
        let member = |one: &&Instance| one.groups.iter().any(|own| admission.groups.contains(own));
        let members = self.instances.iter().filter(member).map(|one| one.private.to_string());
        admission.cidrs.iter().cloned().chain(members).collect()
    }
}

const UNREACHABLE: &str = "reject with icmp host-unreachable";

#[test]
fn only_what_is_admitted_and_has_a_way_passes() {
    let instance = |number: u8, vpc: &str| Instance {
        id: format!("i-{number}"),
        private: Ipv4Addr::new(10, number, 0, 4),
        public: Some(Ipv4Addr::new(54, 0, 0, number)),
        vpc: vpc.into(),
        groups: vec![format!("sg-{vpc}")],
    };
    let network = Network {
        instances: vec![instance(1, "a"), instance(2, "b")],
        admissions: vec![Admission {
            group: "sg-a".into(),
            protocol: "tcp".into(),
            ports: Some((22, 22)),
            cidrs: vec![OPERATOR.into()],
            groups: vec!["sg-b".into()],
        }],
        // No route back.
        ways: vec![("b".into(), "a".into())],
    };
    let rules = network.ruleset();
    let has = |rule: &str| rules.lines().any(|line| line == rule);
    assert!(has("iifname operator ip daddr 54.0.0.1 dnat to 10.1.0.4"), "{rules}");
    assert!(has(&format!("ip saddr 10.2.0.4 ip daddr 10.1.0.4 {UNREACHABLE}")), "{rules}");
    assert!(has("ip saddr 203.0.113.10/32 ip daddr 10.1.0.4 tcp dport 22-22 accept"), "{rules}");
    assert!(has("ip saddr 10.2.0.4 ip daddr 10.1.0.4 tcp dport 22-22 accept"), "{rules}");
    assert!(!rules.lines().any(|line| line.contains("daddr 10.2.0.4 accept")), "{rules}");
}
