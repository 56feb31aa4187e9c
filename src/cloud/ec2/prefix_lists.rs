//! `GetManagedPrefixListEntries`.

use aws_sdk_ec2::types;
use ipnet::IpNet;

use super::{
    client::RegionClient,
    parse::{self, Parsed},
};
use crate::cloud::Result;

const OPERATION: &str = "GetManagedPrefixListEntries";

/// The address ranges in the list `id`, one of the account's or of AWS's.
pub(super) async fn entries(at: &RegionClient, id: &str) -> Result<Vec<IpNet>> {
    let pages = at.client.get_managed_prefix_list_entries().prefix_list_id(id).into_paginator();
    let entries = pages.page_size(100).items().send().try_collect().await;
    at.read(OPERATION, entries.map_err(|error| at.failed(OPERATION, &error))?, entry)
}

fn entry(entry: types::PrefixListEntry) -> Parsed<IpNet> {
    let types::PrefixListEntry { cidr, .. } = entry;
    parse::text(cidr.as_deref(), "cidr")
}
