//! `docs/config.md`: every key and what muster does with it, from the tables.

use std::fmt::Write;

use super::{
    Kind, NODE_CONFIG, PROJECT, RECIPE, REGION, Table,
    Use::{Ignored, NotYet, Open, Own, Passed, Rejected, Used},
};

const INTRODUCTION: &str = "\
# Configs: every key, and what muster does with it

This file is made from the tables in `src/config/keys` by `MUSTER_WRITE_DOCS=1 cargo nextest run docs`.

muster reads the cluster-launcher YAML that `ray up` takes for AWS, as Ray reads it: YAML 1.1, so
that `yes` and `on` are booleans, `010` is eight, and `<<` merges. A key is one of these:

- **used**: it has its effect.
- **passed on**: an argument of EC2's RunInstances, which gets it as it is written.
- **kept**: the user's own, or covered by another key; muster accepts it without a message.
- **no effect**: muster ignores it and reports that once.
- **not yet**: the config loads and is shown; `check` fails with `config.unsupported`, and nothing is
  launched.
- **refused**: an error: muster sets it itself, or AWS takes it no more.

Any other key is an error, with the nearest valid key. `*` stands for any name.
";

const LEGACY: &str = "
A config without `available_node_types` is read as Ray reads it: `head_node` and `worker_nodes` become
the node types `ray-legacy-head-node-type` and `ray-legacy-worker-node-type`, the latter with the
top-level `min_workers`; without these either, the head is Ray's default m5.large, and there are no
workers. Both are reported.

Where a node type names no `ImageId`, or `latest_dlami`, Ray's own default image of the region is
taken (Ray 2.60.0). Where none names a subnet, the default VPC's serve. Ray's default instance
profile, key pair and security group are not made: the first is for Ray's autoscaler, which does not
run; the others are another one in each region, which Quokka's clusters can't use. `check` reports
this, and `fix` offers what works.

A security group that is named and not given by id is resolved in the VPC of the nodes, and checked
and used as if its id were written: `SecurityGroups` of a `node_config` (in the default VPC, as EC2
does), else `security_group` of muster.yaml, else `provider.security_group.GroupName`.
";

const SEVERAL: &str = "
Several configs may describe one region, each under a `cluster_name` of its own, by which Ray
distinguishes them; and one `cluster_name` may stand in several regions. The nodes of a region's first config
are named `us-west-2/head` and `us-west-2/worker-1`, those of a further one by its `cluster_name`:
`us-west-2/gpu-head`, `us-west-2/gpu-worker-1`. That name has at most 40 letters, digits, `-`, `_` and
`.`. Each config has its own `auth`, zones, commands and `file_mounts`; `KeyName` is one for all, and
so is the VPC of a region. The head of the leader's region's first config leads. While instances run,
keep a region's configs in their order: where a node's name would be another config's, `up` is
refused.
";

const HOST_KEYS: &str = "
`host_keys` is `verify` (the default) or `pin`. With `verify`, AWS credentials (`aws_credentials: copy`)
and `file_mounts` are sent to a node only once its SSH host key is one of those that its instance
printed on its console. With `pin`, the key of the first connection is trusted: for images that print
no host keys ([security.md](security.md)).
";

/// All of it.
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    section(&mut text, "A region's config", &REGION);
    text.push_str(SEVERAL);
    text.push_str(LEGACY);
    section(&mut text, "`node_config`", &NODE_CONFIG);
    section(&mut text, "muster.yaml", &PROJECT);
    text.push_str(HOST_KEYS);
    section(&mut text, "A recipe", &RECIPE);
    text
}

fn section(text: &mut String, title: &str, table: &Table) {
    _ = write!(text, "\n## {title}\n\n| Key | muster | |\n|---|---|---|\n");
    for (path, usage) in table.rows {
        let (what, more) = match usage {
            Used => ("used", ""),
            Open => ("kept", ""),
            Passed(kind) => ("passed on", of_kind(*kind)),
            Ignored(why) => ("no effect", *why),
            NotYet(help) => ("**not yet**", *help),
            Own(why) | Rejected(why) => ("refused", *why),
        };
        _ = writeln!(text, "| `{path}` | {what} | {more} |");
    }
}

fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Count => "a whole number",
        Kind::Flag => "a boolean",
        Kind::Texts => "a list of texts",
        Kind::Map => "a map",
        Kind::List => "a list of maps",
    }
}
