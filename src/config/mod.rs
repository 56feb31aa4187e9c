//! Region configs (Ray cluster-launcher YAML) and the project file, read with
//! positions into a [`Project`]. Every diagnostic is collected; nothing stops
//! at the first one.

mod diagnostic;
mod project;
mod recipe;
mod request;
mod source;

pub use diagnostic::{Diagnostic, Severity};
pub use project::{
    Commands, NodeGroup, NodeTemplate, PlannedNode, Project, RegionConfig, RegionPlan,
};
pub use recipe::{Action, ConfigCommands, On, Recipe, Step};
pub use source::{Location, Origin, Source, Sourced};
