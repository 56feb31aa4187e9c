//! From the SDK's types, in which everything is optional, to ours.

use std::str::FromStr;

use aws_sdk_ec2::{primitives::DateTime, types::Tag};
use jiff::Timestamp;

use super::client::RegionClient;
use crate::cloud::{CloudError, ErrorKind, Result, Tags};

/// The answer lacks this field, or it can't be read. What can't be read is
/// not taken for absent: the call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// A part of an answer, read.
pub(super) type Parsed<T> = std::result::Result<T, Unreadable>;

/// The value of `field`, as one of our own names.
pub(super) fn name<T: From<String>>(value: Option<String>, field: &'static str) -> Parsed<T> {
    value.map(T::from).ok_or(Unreadable(field))
}

/// The value of `field`, read from text.
pub(super) fn text<T: FromStr>(value: Option<&str>, field: &'static str) -> Parsed<T> {
    value.and_then(|text| text.parse().ok()).ok_or(Unreadable(field))
}

/// A time; `None` where it lies outside of the years that anyone means.
pub(super) fn time(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// Tags by key.
pub(super) fn tags(tags: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.unwrap_or_default().into_iter().filter_map(pair).collect()
}

impl RegionClient {
    /// Reads every item of an answer.
    pub(super) fn read<S, T>(
        &self,
        operation: &'static str,
        items: impl IntoIterator<Item = S>,
        read: impl Fn(S) -> Parsed<T>,
    ) -> Result<Vec<T>> {
        let read: Parsed<Vec<T>> = items.into_iter().map(read).collect();
        read.map_err(|Unreadable(field)| self.unreadable(operation, field))
    }

    /// An answer that lacks `field`.
    pub(super) fn unreadable(&self, operation: &'static str, field: &'static str) -> CloudError {
        CloudError {
            kind: ErrorKind::Other,
            code: None,
            message: format!("the answer has no readable {field}"),
            region: self.region.clone(),
            operation,
        }
    }
}
