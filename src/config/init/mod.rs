//! Configs that muster writes: [`many`] turns one config into one per region,
//! [`first`] writes a new project. Both only return what is to be
//! written; [`create`] writes it, all or nothing.

mod base;
mod create;
mod derive;
mod first;
mod known;
mod many;
mod names;
mod project;

use std::{path::PathBuf, sync::Arc};

use ipnet::Ipv4Net;
use serde::Serialize;

use super::{
    Overrides, Source, assemble, aws,
    edit::{FileDiff, diff},
    keys, load_sources,
};
use crate::{
    config::Diagnostic,
    model::{ImageId, InstanceType, KeyName, Region},
};

pub use base::Base;
pub use create::{create, in_the_way, present};
pub use first::{First, first};
pub use known::Known;
pub use many::{Many, many};

/// What the files are to say of the project as a whole, as far as it is given.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `name`.
    pub name: Option<String>,
    /// `key_name`.
    pub key_name: Option<KeyName>,
    /// `key_location`, as it is to be written.
    pub key_location: Option<PathBuf>,
    /// `operator_cidr`.
    pub operator_cidr: Option<Ipv4Net>,
}

/// Files to be written.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The files, `muster.yaml` last: without it the others are no project yet.
    pub files: Vec<Planned>,
}

/// A file to be written.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Where, as the user is shown it.
    pub path: Arc<std::path::Path>,
    /// What it is to hold, with its own line ends.
    pub text: String,
    /// What it is made from: another file, or its own old text.
    pub from: Option<Source>,
    /// The region that it is for; none: `muster.yaml`.
    pub region: Option<Region>,
    /// What is left to do in it.
    pub left: Vec<Left>,
}

/// What could not be known, in one line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The line, from 1.
    pub line: u32,
    /// What stands there and what is to be done.
    pub what: String,
    /// Whether `muster fix` does it.
    pub by_fix: bool,
}

impl Planned {
    /// What is new in it.
    pub fn diff(&self) -> FileDiff {
        let old = self.from.as_ref().map_or("", |source| &*source.text);
        diff(self.path.clone(), Vec::new(), old, &self.text)
    }

    /// Whether it exists already and gets a new text.
    pub fn replaces(&self) -> bool {
        self.from.as_ref().is_some_and(|source| source.path == self.path)
    }

    fn source(&self) -> Source {
        let text = super::read::normalized(&self.text);
        Source { path: self.path.clone(), text: text.into() }
    }
}

impl Plan {
    /// What the loader reports for the files together with `others`, which are
    /// there already.
    pub fn diagnostics(&self, others: &[Source]) -> Vec<Diagnostic> {
        let regions = self.files.iter().filter(|file| file.region.is_some());
        let regions = others.iter().cloned().chain(regions.map(Planned::source));
        let project = self.files.iter().find(|file| file.region.is_none()).map(Planned::source);
        let folder = std::path::Path::new("");
        let overrides = Overrides::default();
        load_sources(folder, project, regions.collect(), None, &overrides).diagnostics
    }
}

/// A region as a user names it: one of AWS's, or of such a form.
pub fn region(name: &str) -> Result<Region, String> {
    let name = name.trim();
    if aws::REGIONS.contains(&name) {
        return Ok(name.into());
    }
    let letters = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    match keys::nearest(name, aws::REGIONS.into_iter()) {
        // AWS adds regions, and EC2 will say whether there is this one.
        Some(near) if name.get(..letters(name)) == near.get(..letters(near)) => Ok(name.into()),
        Some(near) => Err(format!("there is no region `{}`: did you mean {near}?", shown(name))),
        None if aws::is_region_name(name) => Ok(name.into()),
        None => Err(format!("`{}` is no region: they are named like us-west-2", shown(name))),
    }
}

/// An instance type as a user names it.
pub fn instance_type(name: &str) -> Result<InstanceType, String> {
    let name = name.trim();
    if aws::is_instance_type(name) {
        return Ok(name.into());
    }
    Err(format!("`{}` is no instance type: they are named like m5.2xlarge", shown(name)))
}

/// A number of workers as a user gives it.
pub fn workers(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(workers @ 0..=1000) => Ok(workers),
        _ => Err(format!("`{}` is no number from 0 to 1000", shown(text))),
    }
}

/// A project's name as a user gives it.
pub fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if assemble::is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a name has at most 40 letters, digits, `-`, `_` and `.`, and begins with a letter or digit"
        .into())
}

/// The id of an image as a user gives it.
pub fn image(text: &str) -> Result<ImageId, String> {
    if aws::is_id(text.trim(), "ami") {
        return Ok(text.trim().into());
    }
    Err(format!("`{}` is no id of an image: they are written ami-0123…", shown(text)))
}

fn shown(text: &str) -> String {
    super::text::shown(text)
}
