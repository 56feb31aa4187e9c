//! Sorts what goes wrong on the way to EC2 and back.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use hyper_util::client::legacy::Error as HttpError;

use super::client::RegionClient;
use crate::{
    cloud::{CloudError, ErrorKind},
    model::visible,
};

impl RegionClient {
    /// An error of the SDK as one of ours.
    pub(super) fn failed<E>(&self, operation: &'static str, error: &SdkError<E>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (kind, code, message) = match error {
            SdkError::ServiceError(answer) => {
                answered(answer.err(), answer.raw().status().as_u16())
            }
            SdkError::ResponseError(answer) => unreadable(answer.raw().status().as_u16()),
            _ => self.unanswered(error),
        };
        tracing::debug!(
            region = %self.region,
            operation,
            ?kind,
            code = code.as_deref().unwrap_or("none"),
            message = %visible(&message),
            "call failed"
        );
        CloudError { kind, code, message, region: self.region.clone(), operation }
    }

    fn unanswered(&self, error: &(dyn Error + 'static)) -> Sorted {
        let why = cause(error);
        if let Some(credentials) = find::<CredentialsError>(error) {
            return (ErrorKind::Credentials, None, no_credentials(credentials, &why));
        }
        if why.contains("failed to apply endpoint") {
            return (ErrorKind::Unreachable, None, not_a_url(error));
        }
        let endpoint = match &self.endpoint {
            Some(url) => url.clone(),
            None => format!("EC2 in {}", self.region),
        };
        match find::<HttpError>(error) {
            Some(http) if http.is_connect() => {
                (ErrorKind::Unreachable, None, format!("cannot connect to {endpoint}: {why}"))
            }
            _ => (ErrorKind::NoAnswer, None, format!("no answer from {endpoint}: {why}")),
        }
    }
}

/// Kind, code and message of an error.
type Sorted = (ErrorKind, Option<String>, String);

/// By EC2's code where there is one. The status is less specific: EC2 answers 503
/// when it throttles and 500 when it has no capacity.
fn answered(error: &impl ProvideErrorMetadata, status: u16) -> Sorted {
    let Some(code) = error.code() else { return unreadable(status) };
    let kind = match ErrorKind::of_code(code) {
        ErrorKind::Other if status >= 500 => ErrorKind::Service,
        kind => kind,
    };
    (kind, Some(code.to_owned()), readable(error.message().unwrap_or_default()))
}

fn unreadable(status: u16) -> Sorted {
    let kind = if status >= 500 { ErrorKind::Service } else { ErrorKind::Other };
    (kind, None, format!("HTTP status {status} with an answer that is not EC2's"))
}

/// EC2 appends a kilobyte of base64 to its refusals.
fn readable(message: &str) -> String {
    let end = message.find("Encoded authorization failure message").unwrap_or(message.len());
    message[..end].trim().to_owned()
}

fn no_credentials(error: &CredentialsError, why: &str) -> String {
    let profile = std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".into());
    match error {
        CredentialsError::CredentialsNotLoaded(_) => format!(
            "no AWS credentials: none in the environment, none in the profile `{profile}`; \
             set AWS_PROFILE, or run `aws configure` or `aws sso login`"
        ),
        _ => format!("the AWS credentials of the profile `{profile}` can't be loaded: {why}"),
    }
}

/// The SDK shows the whole request around what is wrong with the endpoint.
fn not_a_url(error: &(dyn Error + 'static)) -> String {
    let why = causes(error).last().map(ToString::to_string).unwrap_or_default();
    format!("the endpoint in AWS_ENDPOINT_URL or in the profile is no URL: {why}")
}

/// The innermost cause with the one around it: the outer ones only say that
/// something was wrong inside.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.dedup();
    let inner = texts.len().saturating_sub(2);
    texts.split_off(inner).join(": ")
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
