//! The credentials that the SDK's own chain finds, in our type.

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;

use crate::{
    cloud::Credentials,
    model::{Failure, Secret},
};

/// Resolves them now: temporary ones are fresh then.
pub(super) async fn resolve(config: &SdkConfig) -> Result<Credentials, Failure> {
    let hint = "give credentials as for the aws command (AWS_PROFILE, ~/.aws, the environment), \
                or take aws_credentials: instance-profile";
    let provider = config
        .credentials_provider()
        .ok_or_else(|| Failure::new("this machine has no AWS credentials").hint(hint))?;
    // The SDK's message names the providers that it tried and no content of theirs.
    let found = provider.provide_credentials().await.map_err(|error| {
        Failure::new(format!("cannot read this machine's AWS credentials: {error}")).hint(hint)
    })?;
    Ok(Credentials {
        access_key_id: Secret::new(found.access_key_id()),
        secret_access_key: Secret::new(found.secret_access_key()),
        session_token: found.session_token().map(Secret::new),
    })
}
