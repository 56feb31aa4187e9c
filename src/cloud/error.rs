//! What EC2 or the way to it refuses, sorted by what muster does about it.

use crate::model::{Failure, Region};

/// The answer of a call to the cloud.
pub type Result<T> = std::result::Result<T, CloudError>;

/// A call that did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{region}: {operation}: {}{message}", code.as_ref().map(|c| format!("{c}: ")).unwrap_or_default())]
pub struct CloudError {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// EC2's own code, where EC2 answered: `InvalidKeyPair.NotFound`.
    pub code: Option<String>,
    /// EC2's message, or ours where EC2 did not answer.
    pub message: String,
    /// The region of the call.
    pub region: Region,
    /// The API operation: `RunInstances`.
    pub operation: &'static str,
}

/// Sorts errors by what is to be done, not by their thousands of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No right to do it: `UnauthorizedOperation`, `AccessDenied`.
    Denied,
    /// No credentials, or ones that AWS refuses: `AuthFailure`, `ExpiredToken`.
    Credentials,
    /// The region is not enabled for the account: `OptInRequired`.
    OptIn,
    /// No capacity here now: `InsufficientInstanceCapacity`. Another zone may do.
    Capacity,
    /// The account's limit: `VcpuLimitExceeded`, `MaxSpotInstanceCountExceeded`.
    Quota,
    /// Too many calls, even after the SDK's own retries: `RequestLimitExceeded`.
    Throttled,
    /// What the request names does not exist (yet): `Invalid….NotFound`.
    NotFound,
    /// The request itself is wrong: `InvalidParameter…`.
    Invalid,
    /// The token was used with another request: `IdempotentParameterMismatch`.
    TokenMismatch,
    /// The endpoint could not be reached: refused, no route, no such host.
    Unreachable,
    /// No answer in time, or the connection broke: the call may have had its effect.
    NoAnswer,
    /// The service's own fault (5xx): the call may have had its effect.
    Service,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Sorts one of EC2's error codes.
    pub fn of_code(code: &str) -> Self {
        match code {
            "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => Self::Denied,
            "AuthFailure"
            | "ExpiredToken"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken" => Self::Credentials,
            "OptInRequired" | "PendingVerification" => Self::OptIn,
            "InsufficientInstanceCapacity" | "InsufficientHostCapacity" | "Unsupported" => {
                Self::Capacity
            }
            "VcpuLimitExceeded"
            | "InstanceLimitExceeded"
            | "MaxSpotInstanceCountExceeded"
            | "SpotMaxPriceTooLow" => Self::Quota,
            "RequestLimitExceeded" | "Throttling" | "ThrottlingException" => Self::Throttled,
            "IdempotentParameterMismatch" => Self::TokenMismatch,
            "InternalError" | "InternalFailure" | "ServiceUnavailable" | "Unavailable" => {
                Self::Service
            }
            _ if code.ends_with(".NotFound") => Self::NotFound,
            _ if code.starts_with("Invalid") => Self::Invalid,
            _ => Self::Other,
        }
    }
}

impl CloudError {
    /// An answer of EC2 with its code.
    pub fn answered(
        region: &Region,
        operation: &'static str,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let code = code.into();
        Self {
            kind: ErrorKind::of_code(&code),
            code: Some(code),
            message: message.into(),
            region: region.clone(),
            operation,
        }
    }

    /// Whether the call may have had its effect although it failed: then the
    /// actual state has to be read before anything is tried again.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.kind, ErrorKind::NoAnswer | ErrorKind::Service)
    }

    /// Whether AWS could not be reached at all, as opposed to having refused.
    pub fn not_asked(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::NoAnswer | ErrorKind::Credentials)
    }

    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.kind {
            ErrorKind::Denied => "ask for the missing IAM permission, or use another AWS_PROFILE",
            ErrorKind::Credentials => {
                "check AWS_PROFILE, `aws sts get-caller-identity`, or sign in again"
            }
            ErrorKind::OptIn => "enable the region for this account, or leave it out",
            ErrorKind::Capacity => "try another zone (SubnetIds), instance type or a lower count",
            ErrorKind::Quota => {
                "raise the quota (L-1216C47A for standard vCPUs) or lower the count"
            }
            ErrorKind::Throttled => "wait a minute; something else may be using up the API's rate",
            ErrorKind::Unreachable => "check the network, the region's name and AWS_ENDPOINT_URL",
            ErrorKind::NoAnswer => "check the network and AWS_ENDPOINT_URL, then refresh",
            _ => return None,
        })
    }
}

impl From<&CloudError> for Failure {
    fn from(error: &CloudError) -> Self {
        Self {
            code: error.code.clone(),
            message: format!("{} in {}: {}", error.operation, error.region, error.message),
            hint: error.hint().map(str::to_owned),
        }
    }
}
