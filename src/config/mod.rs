//! Region configs (Ray cluster-launcher YAML) and the project file, read with
//! positions into a [`Project`]. Every diagnostic is collected; nothing stops
//! at the first one.
//!
//! [`load`] reads files, [`load_sources`] texts that muster brings along; both
//! go the same way: a YAML tree with positions, its keys against the one table
//! of keys, its values into types, then the rules that span files.

mod assemble;
mod aws;
mod changed;
mod diagnostic;
pub mod edit;
mod file_mounts;
mod files;
mod host_keys;
pub mod init;
mod keys;
mod load;
mod node_config;
mod parsed;
mod paths;
pub mod ports;
mod project;
mod project_file;
mod quokka;
mod quokka_keys;
mod read;
mod reader;
mod recipe;
mod recipe_file;
mod region;
mod request;
pub mod resolved;
mod scripts;
mod side_by_side;
mod source;
mod text;
mod yaml;

pub use changed::Changed;
pub use diagnostic::{Diagnostic, Severity, ids};
pub use file_mounts::FileMounts;
pub use files::{Files, Rewritten, Texts};
pub use host_keys::HostKeyPolicy;
pub use keys::markdown as keys_markdown;
pub use load::{LoadRequest, Loaded, Overrides, Reading, load, load_sources};
pub use project::{
    Commands, GroupToMake, NodeGroup, NodeTemplate, PlannedNode, Project, RayConfig, RegionConfig,
    SshProxy, Unsupported,
};
pub use quokka::{AwsCredentials, Python, Quokka, RayStart};
pub use recipe::{Action, ConfigCommands, On, OperatorAction, Recipe, Step};
pub use source::{Location, Origin, Source, Sourced};
pub use text::redacted;
