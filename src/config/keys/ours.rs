//! The keys of muster's own files.

use super::{
    Row,
    Use::{Open, Used},
};

/// Every key of `muster.yaml`.
pub(in crate::config) const PROJECT: &[Row] = &[
    ("name", Used),
    ("regions", Used),
    ("leader", Used),
    ("key_name", Used),
    ("key_location", Used),
    ("security_group", Used),
    ("requirements", Used),
    ("spill_dir", Used),
    ("recipe", Used),
    ("ssh", Used),
    ("ssh.config", Used),
    ("host_keys", Used),
    ("operator_cidr", Used),
    ("operator_ports", Used),
    ("python", Used),
    ("versions", Open),
    ("aws_credentials", Used),
    ("ray", Used),
];

/// Every key of a recipe.
pub(in crate::config) const RECIPE: &[Row] = &[
    ("steps", Used),
    ("steps.name", Used),
    ("steps.on", Used),
    ("steps.run", Used),
    ("steps.script", Used),
    ("steps.do", Used),
    ("steps.when", Used),
    ("steps.after", Used),
    ("steps.config", Used),
    ("steps.needs", Used),
    ("steps.timeout", Used),
    ("steps.retries", Used),
    ("steps.again", Used),
];
