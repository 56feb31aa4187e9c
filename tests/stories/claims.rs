//! Whether what a run printed of failures and changes is so.

use serde_json::Value;

use super::verdict::Truth;

const REGIONS: [&str; 2] = ["us-west-2", "eu-west-1"];

/// Failures that a run printed and no call had: `CODE: Operation in region: …`, and
/// `Operation in region: no answer …`.
pub fn false_failures(text: &str, truth: &Truth) -> Vec<String> {
    REGIONS.iter().flat_map(|region| false_failures_in(text, region, truth)).collect()
}

fn false_failures_in(text: &str, region: &str, truth: &Truth) -> Vec<String> {
    let marker = format!(" in {region}: ");
    let mut wrong = Vec::new();
    for (at, _) in text.match_indices(marker.as_str()) {
        let rest = &text[at + marker.len()..];
        let mut words = text[..at].rsplit([' ', '\n', '(', '"']);
        let Some(operation) = words.next().filter(|word| is_operation(word)) else { continue };
        let code = words.next().and_then(|word| word.strip_suffix(':'));
        let code = code.filter(|code| is_code(code));
        if code.is_none() && !rest.starts_with("no answer") {
            continue;
        }
        if !truth.has_failed(operation, region, code) {
            let code = code.unwrap_or("no answer");
            wrong.push(format!("\"{code}: {operation}{marker}\", but no call ended so"));
        }
    }
    wrong
}

/// Changes that a run printed as done and that EC2 does not have.
pub fn false_changes(out: &str, truth: &Truth) -> Vec<String> {
    let done = out.lines().filter(|line| line.contains("✓ done"));
    let wrong = done.filter_map(|line| {
        let (front, id) = line.rsplit_once(' ')?;
        let one = truth.resource(id);
        let so = if front.contains(": delete ") {
            one.is_none_or(is_deleted)
        } else {
            // A line of a change that creates something ends in its id.
            !front.ends_with(':') || !id.contains('-') || one.is_some() || id.starts_with("key-")
        };
        (!so).then(|| format!("\"{}\", but EC2 has {one:?}", line.trim()))
    });
    wrong.collect()
}

fn is_deleted(one: &Value) -> bool {
    !one["deleted"].is_null()
        || one["there"] == false
        || ["deleting", "deleted"].contains(&one["state"].as_str().unwrap_or(""))
}

fn is_operation(word: &str) -> bool {
    word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphanumeric)
}

fn is_code(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
        && word.chars().all(|letter| letter.is_alphanumeric() || letter == '.')
}
