//! What is known of a region when a config for it is written.

use std::collections::BTreeMap;

use crate::model::{ImageId, Zone};

/// What AWS reported for a region; empty where it was not queried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The zones that offer every instance type that is wanted, sorted.
    pub zones: Vec<Zone>,
    /// Images of another region and the same ones here, by name and owner;
    /// `None` if there is none.
    pub images: BTreeMap<ImageId, Option<ImageId>>,
}
