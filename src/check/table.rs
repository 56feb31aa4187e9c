//! The table of checks.

use super::{
    Finding, cluster_name, context::Context, copied_keys, exposed, image, key, launch, offered,
    operator_ports, operator_ssh, peering, peers, reachable, region, route, security_group, subnet,
    unsupported, vpc,
};

/// One check.
#[derive(Debug)]
pub struct CheckInfo {
    /// Its stable id: `key.exists`.
    pub id: &'static str,
    /// The title of the group that it is shown in: `Key pair`. The checks of
    /// a group stand together in the table.
    pub group: &'static str,
    /// What it checks, one line.
    pub about: &'static str,
    /// When it fails, the impact, and its other results.
    pub explain: &'static str,
    run: fn(&Context<'_>) -> Vec<Finding>,
}

impl CheckInfo {
    pub(super) fn run(&self, context: &Context<'_>) -> Vec<Finding> {
        (self.run)(context)
    }
}

/// Every check, in the order to show.
pub fn all() -> &'static [CheckInfo] {
    ALL
}

/// The check of this id.
pub fn info(id: &str) -> Option<&'static CheckInfo> {
    ALL.iter().find(|check| check.id == id)
}

const CONFIG: &str = "Config";
const KEY: &str = "Key pair";
const IMAGE: &str = "Image";
const GROUP: &str = "Security group";
const NETWORK: &str = "Network";
const CAPACITY: &str = "Capacity";
const ACCOUNT: &str = "Account";

static ALL: &[CheckInfo] = &[
    CheckInfo {
        id: "config.unsupported",
        group: CONFIG,
        about: "muster supports everything that the configs ask for.",
        explain: "muster does not support some of Ray's config keys: containers (`docker`), launch \
                  templates, commands of one node type. Such a config loads and is shown. Fails \
                  for each such key, and nothing is launched, not even with `--force`: the nodes \
                  would differ from those that the config describes. Emits nothing otherwise. \
                  docs/config.md lists every key.",
        run: unsupported::unsupported,
    },
    CheckInfo {
        id: "key.exists",
        group: KEY,
        about: "The key pair that KeyName names exists in the region.",
        explain: "Key pairs are regional. Fails where it is missing (RunInstances would fail with \
                  `InvalidKeyPair.NotFound`) or where a node type names none (nobody could log in).",
        run: key::exists,
    },
    CheckInfo {
        id: "key.same-material",
        group: KEY,
        about: "The key pair is the key that you have, not only one of the same name.",
        explain: "Compares the public keys themselves: with that of your private key, else with \
                  the leader region's. Fingerprints are ignored, since those of one RSA key differ \
                  between the region that created it and one that it was imported to. Fails where \
                  they differ: `Permission denied (publickey)` on every node there, after launch.",
        run: key::same_material,
    },
    CheckInfo {
        id: "key.local",
        group: KEY,
        about: "The private key on this machine can be read and used.",
        explain: "Fails where ssh would reject it: missing, unreadable, readable by others, not \
                  a key. Warns where none is named, since then ssh's own config and agent decide.",
        run: key::local,
    },
    CheckInfo {
        id: "ami.exists",
        group: IMAGE,
        about: "The image that ImageId names exists in the region and can be launched.",
        explain: "Image ids are regional. Fails where it is missing (`InvalidAMIID.NotFound`; \
                  reports if it is another region's), where its state is not `available`, or where \
                  a node type names none. Warns where it is deprecated: it still launches by id.",
        run: image::exists,
    },
    CheckInfo {
        id: "ami.architecture",
        group: IMAGE,
        about: "The image is built for the processors of the instance type.",
        explain: "Fails where it is not: RunInstances would fail with `InvalidParameterValue`.",
        run: image::architecture,
    },
    CheckInfo {
        id: "sg.exists",
        group: GROUP,
        about: "The security groups that SecurityGroupIds names exist in the region.",
        explain: "Fails where one is missing (`InvalidGroup.NotFound`) or where a node type names \
                  none (EC2 would use the VPC's default group, which admits no SSH).",
        run: security_group::exists,
    },
    CheckInfo {
        id: "sg.same-vpc",
        group: GROUP,
        about: "The security groups belong to the VPC of the nodes' subnets.",
        explain: "Fails where one does not: RunInstances would fail with `InvalidGroup.NotFound` or \
                  `InvalidParameter`.",
        run: security_group::same_vpc,
    },
    CheckInfo {
        id: "sg.operator-ssh",
        group: GROUP,
        about: "The security groups let your SSH in.",
        explain: "Fails where port 22 is closed to `operator_cidr`: SSH would time out. Where that \
                  is not given, any source from outside counts, and with `use_internal_ips` any \
                  source at all. Warns where the port is open to the internet or a large part of \
                  it, by IPv6 as well and by several rules together.",
        run: operator_ssh::operator_ssh,
    },
    CheckInfo {
        id: "sg.peers",
        group: GROUP,
        about: "The security groups let the nodes of every region in.",
        explain: "Ray and Quokka need the ports that the recipe pins: 5005, 6381-6385 and \
                  10100-19999 between all nodes, and 6380, 6386 and 6800 on the leader \
                  (docs/quokka.md). From the region's own nodes a reference to their group does or \
                  the CIDRs of their subnets; from other regions only CIDRs count, since a group \
                  there can't be referenced. Fails where a source is not admitted: packets are dropped, \
                  and workers drop out after some 15 s. Under `ray: config` the ports are those of the \
                  start commands; where these pin none, every port from 1024 up has to be open, \
                  and the way out is to pin them.",
        run: peers::peers,
    },
    CheckInfo {
        id: "sg.exposed",
        group: GROUP,
        about: "The internet reaches no port of Ray, Redis or Flight.",
        explain: "None of them asks for a password, and Ray runs what it is sent: its client server \
                  by design, its jobs API as CVE-2023-48022. Fails where one of their ports is open \
                  to more public IPv4 addresses than a /16 holds, or IPv6 addresses than a /32, all \
                  rules taken together. Prefix lists are read where a rule names them \
                  (`ec2:GetManagedPrefixListEntries`); unknown where one can't be. No fix removes \
                  rules: the finding names the command.",
        run: exposed::exposed,
    },
    CheckInfo {
        id: "sg.operator-ports",
        group: GROUP,
        about: "The leader's ports that operator_ports names are open to you.",
        explain: "Emits nothing without `operator_ports` in muster.yaml: `muster forward` needs SSH \
                  alone. Fails where one of the ports is closed to `operator_cidr`. `muster fix` \
                  opens them in a security group that only the leader carries, since a rule of a \
                  shared one opens every node. Fails where `operator_cidr` is a large part of the \
                  internet: no fix lets that in.",
        run: operator_ports::operator_ports,
    },
    CheckInfo {
        id: "subnet.exists",
        group: NETWORK,
        about: "The subnets exist, in one VPC, with addresses left for the nodes.",
        explain: "Fails where a named one is missing (`InvalidSubnetID.NotFound`) or too full \
                  (`InsufficientFreeAddressesInSubnet`), where none is named and there is no \
                  default one, and where they are in several VPCs.",
        run: subnet::exists,
    },
    CheckInfo {
        id: "subnet.reachable",
        group: NETWORK,
        about: "Nodes get a public address, and their route table leads to an internet gateway.",
        explain: "Fails where a subnet gives no public address at launch, or where the way back to \
                  `operator_cidr` (else 0.0.0.0/0) is not an internet gateway: SSH would time out. \
                  Not checked with `use_internal_ips`, since then SSH goes to private addresses.",
        run: reachable::reachable,
    },
    CheckInfo {
        id: "vpc.cidr-overlap",
        group: NETWORK,
        about: "The VPCs of each two regions have different addresses.",
        explain: "Fails where any two of their CIDRs overlap: they can never be peered.",
        run: vpc::cidr_overlap,
    },
    CheckInfo {
        id: "vpc.default",
        group: NETWORK,
        about: "No two regions use their default VPC.",
        explain: "Every default VPC is 172.31.0.0/16, so two of them can never be peered. Fails \
                  where another region uses its own as well, warns where this one alone does. \
                  Unknown where the VPCs of another region could not be read.",
        run: vpc::default_vpc,
    },
    CheckInfo {
        id: "peering.active",
        group: NETWORK,
        about: "An active peering connection joins the VPCs of each two regions.",
        explain: "Peering is not transitive: every pair needs its own. Fails where there is none \
                  or one that is pending acceptance (it expires after seven days): packets between \
                  the nodes are dropped; connections time out. Warns while one is being set up.",
        run: peering::active,
    },
    CheckInfo {
        id: "route.peering",
        group: NETWORK,
        about: "The route tables on both sides lead through the peering connection.",
        explain: "Reads the table associated with each subnet, else the VPC's main table, and \
                  takes the longest prefix, in both directions. Fails where there is no route, a \
                  blackhole, or one with another target: packets between the nodes are dropped; \
                  connections time out. A blackhole to a connection that is not active yet is \
                  skipped: it comes up with the peering.",
        run: route::peering,
    },
    CheckInfo {
        id: "type.offered",
        group: CAPACITY,
        about: "The instance type exists and is offered in the zones of the subnets.",
        explain: "Fails where no subnet's zone offers it (`Unsupported`), warns where some don't. \
                  Offered does not mean that there is capacity now.",
        run: offered::offered,
    },
    CheckInfo {
        id: "region.enabled",
        group: ACCOUNT,
        about: "The region exists, is enabled for the account, and answers.",
        explain: "Fails where it is unknown or has to be opted in to first, and is unknown where it \
                  can't be read. The other checks of such a region are skipped.",
        run: region::enabled,
    },
    CheckInfo {
        id: "iam.launch",
        group: ACCOUNT,
        about: "EC2 would allow the launch (a dry run of RunInstances).",
        explain: "Runs once per plan, since a dry run takes from the small number of launch calls \
                  that EC2 allows, and only where nothing that is named is missing. Fails with \
                  EC2's own code, for example `UnauthorizedOperation`. Does not cover capacity \
                  or quota.",
        run: launch::allowed,
    },
    CheckInfo {
        id: "iam.copied-keys",
        group: ACCOUNT,
        about: "The credentials that aws_credentials: copy sends to the nodes expire.",
        explain: "Emits nothing where `aws_credentials` of muster.yaml is not `copy`. Warns where the \
                  credentials of this machine are long-lived keys: a node that is taken over would \
                  give them away. Prefer an instance profile, or temporary credentials.",
        run: copied_keys::copied_keys,
    },
    CheckInfo {
        id: "cluster.name-taken",
        group: ACCOUNT,
        about: "No other live instances carry the Ray cluster name.",
        explain: "Fails where some do that are not this cluster's own: Ray's tools and pyquokka \
                  find nodes by that tag and would mix them up. Instances of `ray up` for these \
                  configs can be adopted: `muster up --adopt` shows the plan first.",
        run: cluster_name::taken,
    },
];
