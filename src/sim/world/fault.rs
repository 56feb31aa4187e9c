//! Which calls do not go well, and the counting that it takes to know.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    model::Region,
    sim::{Pace, scenario::format::FaultSpec},
};

/// A kind of call, as calls are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub region: Region,
    pub operation: &'static str,
    pub dry_run: bool,
}

/// How often each kind of call was made.
#[derive(Default)]
pub(super) struct Calls(BTreeMap<Call, u32>);

impl Calls {
    /// Counts one more; answers its number, from 1.
    pub fn count(&mut self, call: &Call) -> u32 {
        let count = self.0.entry(call.clone()).or_default();
        *count += 1;
        *count
    }

    /// How often `operation` was called, in every region, dry runs left out.
    pub fn of(&self, operation: &str) -> u32 {
        let fits = |call: &Call| call.operation == operation && !call.dry_run;
        self.0.iter().filter(|(call, _)| fits(call)).map(|(_, count)| count).sum()
    }
}

impl FaultSpec {
    /// Whether the `number`th call of its kind, made `since` after the
    /// world's start, meets this fault.
    pub(super) fn hits(&self, call: &Call, number: u32, since: Duration, pace: Pace) -> bool {
        self.operation.as_deref().is_none_or(|own| own == call.operation)
            && self.region.as_ref().is_none_or(|own| *own == call.region)
            && self.dry_run.is_none_or(|own| own == call.dry_run)
            && (self.calls.is_empty() || self.calls.contains(&number))
            && pace.of(self.from_s) <= since
            && self.until_s.is_none_or(|until| since <= pace.of(until))
    }
}

/// The message that EC2 sends with an error code.
pub(super) fn message_of(code: &str) -> &'static str {
    match code {
        "UnauthorizedOperation" => "You are not authorized to perform this operation.",
        "AccessDenied" => "User is not authorized to perform this action.",
        "AuthFailure" => "AWS was not able to validate the provided access credentials",
        "ExpiredToken" => "The security token included in the request is expired",
        "RequestLimitExceeded" => "Request limit exceeded.",
        "InsufficientInstanceCapacity" => {
            "We currently do not have sufficient capacity for the instance type that you requested."
        }
        "InternalError" => "An internal error has occurred",
        "ServiceUnavailable" | "Unavailable" => {
            "The server is overloaded and can't handle the request."
        }
        "PendingVerification" => {
            "Your request for accessing resources in this region is being validated, and you will \
             not be able to launch additional resources in this region until the validation is complete."
        }
        _ => "The request could not be carried out.",
    }
}
