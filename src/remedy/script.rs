//! A plan as a shell script of `aws ec2` commands, for an operator without the
//! rights and a person with them: it stops at the first error, carries ids in
//! variables, and waits where EC2 needs time.
//!
//! Every value goes to `aws` within one JSON document a call, since `aws`
//! interprets arguments (`file://`, a leading dash) but not what is in there.

mod call;
mod json;
mod word;

use self::{
    call::Call,
    json::Json,
    word::{Variable, Word, visible},
};
use super::plan::{Action, Plan, Rewrite, Step, Target, Until, Written};
use crate::{
    cloud::{Change, PublicKey, Ref},
    model::{Failure, Region},
};

/// A variable that is not an id is not used: it would end up within JSON.
const CHECK_ID: &str = r#"check_id() {
  case $1 in
    '' | *[!A-Za-z0-9-]*) printf 'not an id: %s\n' "$1" >&2; exit 1 ;;
  esac
}"#;

/// The script, or why a value of the plan can't be part of one.
pub fn script(plan: &Plan, project: &str) -> Result<String, Failure> {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!("# What `muster fix` would do for {}.", visible(project)),
        "set -eu".to_owned(),
        "tmp=$(mktemp -d)".to_owned(),
        "trap 'rm -rf \"$tmp\"' EXIT".to_owned(),
        CHECK_ID.to_owned(),
    ];
    for step in &plan.steps {
        lines.push(String::new());
        lines.push(format!("# {}", visible(&super::describe::title(step))));
        lines.extend(commands(step)?);
    }
    for left in &plan.left {
        let problem = &left.problem;
        let what = format!("# left: {} {}: {}", problem.check, problem.subject, left.why);
        lines.extend([String::new(), visible(&what)]);
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn commands(step: &Step) -> Result<Vec<String>, Failure> {
    match &step.action {
        Action::Change { region, change } => of_change(step, region, change),
        Action::Wait { region, until } => wait(region, until),
        Action::Rewrite(rewrites) => Ok(rewrites.iter().map(to_write).collect()),
    }
}

fn of_change(step: &Step, region: &Region, change: &Change) -> Result<Vec<String>, Failure> {
    let call = Call::of(change);
    let mut lines = Vec::new();
    let mut command = command(region, call.verb, &call.input)?;
    if let Change::ImportKeyPair { public_key, .. } = change {
        lines.push(format!("printf '%s\\n' {} > \"$tmp/key.pub\"", key(public_key)?));
        let mut file = Word::literal("fileb://");
        file.push_variable(Variable::tmp());
        let file = file.then_literal("/key.pub");
        command = format!("{command} --public-key-material {file}");
    }
    match call.made {
        Some(made) => {
            let id = Variable::of(&step.slot);
            lines.push(format!("{id}=$({command} --query {made} --output text)"));
            lines.push(format!("check_id {}", Word::variable(id)));
        }
        None => lines.push(format!("{command} > \"$tmp/answer\"")),
    }
    Ok(lines)
}

fn command(region: &Region, verb: &str, input: &Json) -> Result<String, Failure> {
    let region = Word::region(region)?;
    Ok(format!("aws ec2 {verb} --region {region} --cli-input-json {}", input.word()))
}

/// The key as a line of its own, as ssh-keygen writes it.
fn key(key: &PublicKey) -> Result<Word, Failure> {
    let usual = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-+/=@.".contains(c))
    };
    if usual(&key.algorithm) && usual(&key.base64) {
        return Ok(Word::literal(format!("{} {}", key.algorithm, key.base64)));
    }
    Err(Failure::new("the public key is not one that OpenSSH writes")
        .hint("check ssh_private_key and the .pub file next to it"))
}

fn wait(region: &Region, until: &Until) -> Result<Vec<String>, Failure> {
    let of = Json::list([Json::id(until.subject())]);
    match until {
        Until::ImageAvailable(_) => {
            let input = Json::object([("ImageIds", of)]);
            Ok(vec![command(region, "wait image-available", &input)?])
        }
        Until::PeeringThere { .. } => {
            peering_until(region, until.subject(), "pending-acceptance|active|provisioning")
        }
        Until::PeeringActive { .. } => peering_until(region, until.subject(), "active"),
    }
}

/// aws-cli has no waiter for a peering connection's state.
fn peering_until(region: &Region, peering: &Ref, states: &str) -> Result<Vec<String>, Failure> {
    let ids = Json::list([Json::id(peering)]);
    let input = Json::object([("VpcPeeringConnectionIds", ids)]);
    let describe = command(region, "describe-vpc-peering-connections", &input)?;
    let id = shown(peering);
    Ok(vec![
        "tries=0".into(),
        format!(
            "until {describe} --query 'VpcPeeringConnections[0].Status.Code' --output text \
             2> \"$tmp/error\" | grep -qxE '{states}'; do"
        ),
        "  tries=$((tries + 1))".into(),
        "  if [ \"$tries\" -gt 60 ]; then".into(),
        format!("    printf 'still not %s: %s\\n' '{states}' {id} >&2"),
        "    cat \"$tmp/error\" >&2".into(),
        "    exit 1".into(),
        "  fi".into(),
        "  sleep 2".into(),
        "done".into(),
    ])
}

/// Configs are not part of the account: the script prints what to write into them.
fn to_write(rewrite: &Rewrite) -> String {
    let (place, key) = match &rewrite.target {
        Target::At { location, key, .. } => (location.to_string(), *key),
        Target::NodeConfig { file, node_type, key } => {
            (format!("{}: {node_type}", file.display()), *key)
        }
    };
    let mut line = Word::literal(visible(&format!("write into {place}: {key}: ")));
    match &rewrite.value {
        Written::One(one) => push_shown(one, &mut line),
        Written::List(all) => {
            line.push_literal("[");
            for (index, one) in all.iter().enumerate() {
                line.push_literal(if index > 0 { ", " } else { "" });
                push_shown(one, &mut line);
            }
            line.push_literal("]");
        }
    }
    format!("printf '%s\\n' {line}")
}

/// An id in a message.
fn shown(id: &Ref) -> Word {
    let mut word = Word::default();
    push_shown(id, &mut word);
    word
}

fn push_shown(id: &Ref, word: &mut Word) {
    match id {
        Ref::Id(id) => word.push_literal(&visible(id)),
        Ref::Made(slot) => word.push_variable(Variable::of(slot)),
    }
}
