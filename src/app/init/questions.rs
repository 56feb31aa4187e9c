//! Asks in a terminal for what `init` needs and was not given.

use std::path::PathBuf;

use super::{CliError, InitArgs, ask, can_ask};
use crate::{
    config::init::{self, First, Settings},
    model::{Failure, KeyName, Region},
    report::Out,
};

const NAME: &str = "quokka";
const INSTANCE_TYPE: &str = "m5.2xlarge";
const WORKERS: &str = "2";
const WORKERS_QUESTION: &str = "Workers in each region, beside its head";
const REGION: &str = "us-west-2";

/// The regions of the command line, or those that the user names.
pub async fn regions(
    args: &InitArgs,
    default: &str,
    err: &mut Out,
) -> Result<Vec<Region>, CliError> {
    if !args.regions.is_empty() {
        return Ok(args.regions.clone());
    }
    if !is_asking(args) {
        return Err(missing("--regions", "for which regions: --regions eu-west-1,ap-southeast-2"));
    }
    let question = match args.from {
        Some(_) => "Regions to write configs for, with commas",
        None => "Regions, with commas, the leader's first",
    };
    ask(question, default, read_regions, err).await
}

/// All that the first configs are made of, but the images.
pub async fn first(args: &InitArgs, err: &mut Out) -> Result<First, CliError> {
    let default = default_regions().await;
    let regions = regions(args, &default, err).await?;
    let regions = distinct(regions).map_err(|wrong| CliError::usage(Failure::new(wrong)))?;
    let asking = is_asking(args);
    let instance_type = match &args.first.instance_type {
        Some(given) => given.clone(),
        None if asking => {
            ask("Instance type of all nodes", INSTANCE_TYPE, init::instance_type, err).await?
        }
        None => INSTANCE_TYPE.into(),
    };
    let workers = match args.first.workers {
        Some(given) => given,
        None if asking => ask(WORKERS_QUESTION, WORKERS, init::workers, err).await?,
        None => 2,
    };
    let name = match &args.settings.name {
        Some(given) => given.clone(),
        None if asking => ask("Name of the project", NAME, init::name, err).await?,
        None => NAME.to_owned(),
    };
    let settings = Settings { name: Some(name), ..key(args, err).await? };
    Ok(First {
        regions,
        instance_type,
        workers,
        settings,
        images: std::collections::BTreeMap::new(),
    })
}

/// The key pair and the private key's file.
async fn key(args: &InitArgs, err: &mut Out) -> Result<Settings, CliError> {
    let given = &args.settings;
    let asking = is_asking(args);
    let key_name = match &given.key_name {
        Some(name) => name.clone(),
        None if asking => {
            let read = |name: &str| Ok(KeyName::from(name));
            ask("EC2 key pair of all nodes", NAME, read, err).await?
        }
        None => return Err(missing("--key-name", "name the EC2 key pair: --key-name quokka")),
    };
    let default = key_file(&key_name);
    let key_location = match &given.key_location {
        Some(path) => path.clone(),
        None if asking => {
            let read = |path: &str| Ok(PathBuf::from(path));
            ask("Its private key's file", &default, read, err).await?
        }
        None => default.into(),
    };
    Ok(Settings {
        name: None,
        key_name: Some(key_name),
        key_location: Some(key_location),
        operator_cidr: given.operator_cidr,
    })
}

/// `~/.ssh/<name>.pem`, or without the ending where only that is there.
fn key_file(name: &KeyName) -> String {
    let (bare, pem) = (format!("~/.ssh/{name}"), format!("~/.ssh/{name}.pem"));
    let is_there = |path: &str| {
        let home = std::env::home_dir().unwrap_or_default();
        path.strip_prefix("~/").is_some_and(|rest| home.join(rest).is_file())
    };
    if is_there(&bare) && !is_there(&pem) { bare } else { pem }
}

fn is_asking(args: &InitArgs) -> bool {
    can_ask() && !args.yes
}

/// The user's own region and one on another continent.
async fn default_regions() -> String {
    let own = own_region().await.unwrap_or(REGION.into());
    let other = if own.as_str().starts_with("eu-") { REGION } else { "eu-west-1" };
    format!("{own},{other}")
}

#[cfg(feature = "aws")]
async fn own_region() -> Option<Region> {
    crate::cloud::ec2::own_region().await
}

#[cfg(not(feature = "aws"))]
async fn own_region() -> Option<Region> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let own = named.iter().find_map(|name| std::env::var(name).ok());
    std::future::ready(own.map(Region::from)).await
}

fn read_regions(text: &str) -> Result<Vec<Region>, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let regions = names.map(init::region).collect::<Result<Vec<_>, _>>()?;
    if regions.is_empty() { Err("name one region at least".into()) } else { distinct(regions) }
}

fn distinct(regions: Vec<Region>) -> Result<Vec<Region>, String> {
    let twice = regions.iter().enumerate().find(|(index, one)| regions[..*index].contains(one));
    match twice {
        Some((_, region)) => Err(format!("{region} is named twice: a region has one config")),
        None => Ok(regions),
    }
}

fn missing(flag: &str, hint: &str) -> CliError {
    let failure = Failure::new(format!("{flag} is not given, and nobody can be asked"));
    CliError::usage(failure.hint(hint))
}
