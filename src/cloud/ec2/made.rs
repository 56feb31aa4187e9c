//! How a change is called: tried once, and what it created is returned by its id.

use aws_sdk_ec2::{
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
};

use super::client::{RegionClient, Timeouts};
use crate::cloud::{Ref, Result};

/// The id of what a change made, if it makes something.
pub(super) type MadeId = Option<String>;

impl RegionClient {
    /// For a call that is tried once, with all the time that it has: of most
    /// changes EC2 can't distinguish a retry from a second request, so whether
    /// the first one had its effect has to be determined before another.
    pub(super) fn single_attempt(&self) -> Builder {
        let limits = Timeouts { attempt: self.timeouts.operation, ..self.timeouts };
        Builder::new().retry_config(RetryConfig::disabled()).timeout_config(limits.to_sdk())
    }

    /// Waits for the answer of a call that makes something, whose id `id` finds in it.
    pub(super) async fn made<T, E>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = std::result::Result<T, SdkError<E>>>,
        id: impl FnOnce(T) -> Option<String>,
    ) -> Result<MadeId>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let answer = answer.await.map_err(|error| self.failed(operation, &error))?;
        id(answer).map(Some).ok_or_else(|| self.unreadable(operation, "id"))
    }

    /// Waits for the answer of a call that makes nothing new.
    pub(super) async fn done<T, E>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = std::result::Result<T, SdkError<E>>>,
    ) -> Result<MadeId>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        answer.await.map_err(|error| self.failed(operation, &error))?;
        Ok(None)
    }
}

/// The id that a reference is by now.
pub(super) fn id(reference: &Ref) -> &str {
    reference.id().unwrap_or_default()
}
