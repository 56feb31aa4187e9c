//! What `aws_credentials: copy` would send.

use crate::survey::Fact;

use super::{Finding, Level, context::Context};

/// `iam.copied-keys`; nothing where no credentials are copied.
pub(super) fn copied_keys(ctx: &Context<'_>) -> Vec<Finding> {
    let Some(fact) = &ctx.survey.copied_keys_last else { return Vec::new() };
    let places = ctx.places("iam.copied-keys");
    let Some(place) = places.iter().find(|place| place.leads) else { return Vec::new() };
    let finding = match fact {
        Fact::Known(false) => place.pass("the credentials that aws_credentials: copy sends expire"),
        Fact::Known(true) => place
            .warn("aws_credentials: copy sends long-lived keys to every node")
            .seen("the credentials of this machine have no session token")
            .impact("everybody who can read that file on a node has your account until the keys are rotated")
            .todo(
                "give the nodes an instance profile (IamInstanceProfile) and take aws_credentials: \
                 instance-profile, or use temporary credentials (aws sso login, aws sts assume-role)",
            ),
        Fact::Unknown(failure) => place
            .finding(Level::Unknown, "the credentials to copy could not be read")
            .because(failure),
    };
    vec![finding.at(ctx.project.quokka.aws_credentials.location())]
}
