//! One region's config out of another one's: what must change changes, and
//! what is not known is marked on its line.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    config::{
        Location, aws,
        edit::{self, Edit, EditError, Note, Target, Value},
        region::is_zone_of,
        yaml::{Node, Value as Held},
    },
    model::{ImageId, Region, Zone},
};

use super::{Base, Known, Left, names};

/// Ids that `muster fix` finds or makes again elsewhere.
const FIXED_LATER: [&str; 2] = ["subnet", "sg"];
/// Other ids of what is in one region alone.
const REGIONAL: [&str; 9] = ["vpc", "eni", "snap", "lt", "cr", "eipalloc", "acl", "igw", "pl"];

/// A scalar of the config.
struct Mention<'a> {
    path: Vec<&'a str>,
    /// The line of the key that it belongs to.
    line: u32,
    location: &'a Location,
    text: &'a str,
}

/// What becomes of one.
enum Fate {
    Stays,
    Becomes(String),
    /// Goes, with a comment.
    Goes(String),
    /// Stays, with a comment; whether `fix` repairs it.
    Marked(String, bool),
    /// Stays, and a message reports it.
    Reported(String),
}

struct Derivation<'a> {
    base: &'a Base,
    to: &'a Region,
    all: &'a [Region],
    known: Option<&'a Known>,
    /// The zones that the config names, and what they become.
    zones: BTreeMap<&'a str, &'a Zone>,
}

/// The text of `base` for the region `to`, one of `all`, and what is left to
/// do in it. `known`: what AWS reported, if it was queried.
pub(super) fn derive(
    base: &Base,
    to: &Region,
    all: &[Region],
    known: Option<&Known>,
) -> Result<(String, Vec<Left>), EditError> {
    let mentions = mentions(&base.root);
    let zones = zones(base, &mentions, known);
    let derivation = Derivation { base, to, all, known, zones };
    let (mut edits, mut marks, mut left) = (Vec::new(), BTreeMap::new(), Vec::new());
    for mention in &mentions {
        let line = mention.line;
        let (value, note, by_fix) = match derivation.judge(mention) {
            Fate::Stays => continue,
            Fate::Becomes(text) => (Some(Value::Text(text)), None, false),
            Fate::Goes(note) => (Some(Value::Removed), Some(note), false),
            Fate::Marked(note, by_fix) => (None, Some(note), by_fix),
            Fate::Reported(what) => {
                left.push(Left { line: mention.location.line, what, by_fix: false });
                continue;
            }
        };
        edits.extend(value.map(|value| derivation.edit(mention, value)));
        if let Some(note) = note {
            let key = mention.path.last().copied().unwrap_or_default();
            let what = format!("{key}: {note}");
            left.push(Left { line, what, by_fix });
            let notes: &mut BTreeSet<String> = marks.entry(line).or_default();
            notes.insert(note);
        }
    }
    let joined = |notes: BTreeSet<String>| notes.into_iter().collect::<Vec<_>>().join("; ");
    let notes = marks.into_iter().map(|(line, notes)| Note { line, text: joined(notes) });
    let notes: Vec<_> = notes.collect();
    left.sort_by_key(|one| one.line);
    left.dedup();
    Ok((edit::apply_with(&base.source, &edits, &notes)?, left))
}

fn mentions(root: &Node) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    collect(root, root.location.line, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(node: &'a Node, line: u32, path: &mut Vec<&'a str>, found: &mut Vec<Mention<'a>>) {
    match &node.value {
        Held::Map(entries) => {
            for entry in entries {
                path.push(&entry.key);
                collect(&entry.value, entry.location.line, path, found);
                path.pop();
            }
        }
        Held::List(items) => items.iter().for_each(|item| collect(item, line, path, found)),
        Held::Scalar(scalar) => found.push(Mention {
            path: path.clone(),
            line,
            location: &node.location,
            text: &scalar.text,
        }),
    }
}

fn is_zone_key(mention: &Mention<'_>) -> bool {
    matches!(mention.path.last(), Some(&("availability_zone" | "AvailabilityZone")))
}

/// What each zone that is named becomes: the first one the first one here.
fn zones<'a>(
    base: &Base,
    mentions: &[Mention<'a>],
    known: Option<&'a Known>,
) -> BTreeMap<&'a str, &'a Zone> {
    let named = mentions.iter().filter(|mention| is_zone_key(mention));
    let named = named.flat_map(|mention| mention.text.split(',').map(str::trim));
    let named: BTreeSet<_> =
        named.filter(|zone| is_zone_of(zone, base.region().as_str())).collect();
    let here = known.map_or(&[][..], |known| &known.zones);
    named.into_iter().zip(here.iter().cycle()).collect()
}

impl Derivation<'_> {
    fn judge(&self, mention: &Mention<'_>) -> Fate {
        let from = self.base.region();
        let (text, key) = (mention.text, mention.path.last().copied().unwrap_or_default());
        match mention.path[..] {
            ["cluster_name"] => Fate::Becomes(names::renamed(text, from, self.to, self.all)),
            ["provider", "region"] => Fate::Becomes(self.to.to_string()),
            _ if is_zone_key(mention) => self.zone(text),
            _ if key == "ImageId" && aws::is_id(text, "ami") => self.image(&text.into()),
            _ if FIXED_LATER.iter().any(|prefix| aws::is_id(text, prefix)) => {
                Fate::Marked(format!("of {from}; `muster fix` puts this region's here"), true)
            }
            _ if is_regional(text) => {
                Fate::Marked(format!("of {from}; put this region's here"), false)
            }
            _ if text.contains(from.as_str()) => {
                Fate::Reported(format!("{key}: names {from}; left unchanged"))
            }
            _ => Fate::Stays,
        }
    }

    /// One zone or several in one text.
    fn zone(&self, text: &str) -> Fate {
        let from = self.base.region();
        let mut zones: Vec<&str> = Vec::new();
        for zone in text.split(',').map(str::trim).filter(|zone| !zone.is_empty()) {
            if !is_zone_of(zone, from.as_str()) {
                return Fate::Stays;
            }
            let Some(here) = self.zones.get(zone) else {
                return Fate::Goes(format!(
                    "the zones of {from} are left out: any zone here will do"
                ));
            };
            if !zones.contains(&here.as_str()) {
                zones.push(here.as_str());
            }
        }
        if zones.is_empty() { Fate::Stays } else { Fate::Becomes(zones.join(",")) }
    }

    fn image(&self, id: &ImageId) -> Fate {
        let from = self.base.region();
        match self.known.and_then(|known| known.images.get(id)) {
            Some(Some(here)) => Fate::Becomes(here.to_string()),
            Some(None) => {
                let note =
                    format!("of {from}, and none of its name is here; `muster fix` copies it");
                Fate::Marked(note, true)
            }
            None => {
                let note = format!("of {from}; `muster fix` finds or copies it here");
                Fate::Marked(note, true)
            }
        }
    }

    fn edit(&self, mention: &Mention<'_>, value: Value) -> Edit {
        Edit {
            file: self.base.source.path.clone(),
            target: Target::At(mention.location.clone()),
            value,
            why: format!("it is {}'s", self.base.region()),
        }
    }
}

/// Whether `text` is the id of something that is in one region alone.
fn is_regional(text: &str) -> bool {
    REGIONAL.iter().any(|prefix| {
        let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
        digits.is_some_and(|digits| {
            digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    })
}
