//! A plan as a shell script of `aws ec2` commands, for whoever has the rights
//! that the operator has not: it stops at the first error, carries ids in
//! variables, and waits where EC2 needs time.

mod arguments;
mod word;

use self::{
    arguments::arguments,
    word::{MARK, id, quote, variable},
};
use super::plan::{Action, Plan, Rewrite, Step, Target, Until, Written};
use crate::{cloud::Change, model::Region};

/// The script.
pub fn script(plan: &Plan, project: &str) -> String {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!("# What `muster fix` would do for {}.", one_line(project)),
        "set -eu".to_owned(),
        "tmp=$(mktemp -d)".to_owned(),
        "trap 'rm -rf \"$tmp\"' EXIT".to_owned(),
    ];
    for step in &plan.steps {
        lines.push(String::new());
        lines.push(format!("# {}", one_line(&super::describe::title(step))));
        lines.extend(commands(step));
    }
    for left in &plan.left {
        let problem = &left.problem;
        let what = format!("# left: {} {}: {}", problem.check, problem.subject, left.why);
        lines.extend([String::new(), one_line(&what)]);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn commands(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Change { region, change } => of_change(step, region, change),
        Action::Wait { region, until } => wait(region, until),
        Action::Rewrite(rewrites) => rewrites.iter().map(tell).collect(),
    }
}

fn of_change(step: &Step, region: &Region, change: &Change) -> Vec<String> {
    let (verb, answer, mut arguments) = arguments(change);
    let mut lines = Vec::new();
    if let Change::ImportKeyPair { public_key, .. } = change {
        let key = format!("{} {}", public_key.algorithm, public_key.base64);
        lines.push(format!("printf '%s\\n' {} > \"$tmp/key.pub\"", quote(&key)));
        let file = format!("fileb://{MARK}tmp{MARK}/key.pub");
        arguments.extend(["--public-key-material".to_owned(), file]);
    }
    let words: Vec<_> = arguments.iter().map(|word| quote(word)).collect();
    let call = format!("aws ec2 {verb} --region {} {}", quote(region.as_str()), words.join(" "));
    lines.push(match answer {
        Some(answer) => {
            format!("{}=$({call} --query {answer} --output text)", variable(&step.slot))
        }
        None => format!("{call} > \"$tmp/answer\""),
    });
    lines
}

fn wait(region: &Region, until: &Until) -> Vec<String> {
    let region = quote(region.as_str());
    let of = quote(&id(until.subject()));
    match until {
        Until::ImageAvailable(_) => {
            vec![format!("aws ec2 wait image-available --region {region} --image-ids {of}")]
        }
        Until::PeeringThere { .. } => {
            peering_until(&region, &of, "pending-acceptance|active|provisioning")
        }
        Until::PeeringActive { .. } => peering_until(&region, &of, "active"),
    }
}

/// aws-cli has no waiter for a peering connection's state.
fn peering_until(region: &str, id: &str, states: &str) -> Vec<String> {
    vec![
        "tries=0".into(),
        format!(
            "until aws ec2 describe-vpc-peering-connections --region {region} \
             --vpc-peering-connection-ids {id} \
             --query 'VpcPeeringConnections[0].Status.Code' --output text 2> \"$tmp/error\" \
             | grep -qxE '{states}'; do"
        ),
        "  tries=$((tries + 1))".into(),
        "  if [ \"$tries\" -gt 60 ]; then".into(),
        format!("    printf 'still not %s: %s\\n' '{states}' {id} >&2"),
        "    cat \"$tmp/error\" >&2".into(),
        "    exit 1".into(),
        "  fi".into(),
        "  sleep 2".into(),
        "done".into(),
    ]
}

/// Configs are not the account's: the script says what to write into them.
fn tell(rewrite: &Rewrite) -> String {
    let (place, key) = match &rewrite.target {
        Target::At { location, key, .. } => (location.to_string(), *key),
        Target::NodeConfig { file, node_type, key } => {
            (format!("{}: {node_type}", file.display()), *key)
        }
    };
    let value = match &rewrite.value {
        Written::One(one) => id(one),
        Written::List(all) => format!("[{}]", all.iter().map(id).collect::<Vec<_>>().join(", ")),
    };
    format!("printf '%s\\n' {}", quote(&format!("write into {place}: {key}: {value}")))
}
