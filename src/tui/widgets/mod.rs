//! What several screens are made of.

pub(super) mod bar;
pub(super) mod blocks;
pub(super) mod chrome;
pub(super) mod fields;
pub(super) mod matrix;
pub(super) mod panel;
pub(super) mod selection;
pub(super) mod sheet;
pub(super) mod table;
pub(super) mod tabs;
