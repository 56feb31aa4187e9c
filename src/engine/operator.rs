//! Steps that run on this machine: copying files and credentials to a node.

use tokio::sync::mpsc;

use crate::{
    cloud::CREDENTIALS_MARK,
    config::{Action, AwsCredentials, OperatorAction, Step},
    model::{Failure, NodeName},
    remote::{Exit, Mount, RemoteError, Session},
};

use super::shared::Shared;

/// Where boto3, pyarrow and the AWS CLI read credentials, relative to the home folder.
const CREDENTIALS: &str = ".aws/credentials";

/// The text that a step of the operator's comes down to, where it is one that
/// the node does alone: nothing to send, but perhaps something to take away.
pub(super) fn text(shared: &Shared, step: &Step) -> Option<String> {
    let project = shared.project();
    match step.action {
        Action::Operator(OperatorAction::Credentials)
            if *project.quokka.aws_credentials != AwsCredentials::Copy =>
        {
            Some(take_away())
        }
        _ => None,
    }
}

/// Only what muster itself has sent.
fn take_away() -> String {
    format!(
        "file=$HOME/{CREDENTIALS}\n\
         if head -n 1 \"$file\" 2>/dev/null | grep -qxF '{CREDENTIALS_MARK}'; then\n    \
             rm -f \"$file\" && echo 'taken away: credentials that muster had sent'\n\
         fi\n"
    )
}

/// What there is to send; none: the step has nothing to do on this node.
pub(super) fn work(shared: &Shared, node: &NodeName, step: &Step) -> Option<Work> {
    let Action::Operator(action) = step.action else { return None };
    match action {
        OperatorAction::Credentials => {
            let copy = *shared.project().quokka.aws_credentials == AwsCredentials::Copy;
            copy.then_some(Work::Credentials)
        }
        OperatorAction::FileMounts => {
            let group = shared.state().nodes.get(node)?.group.clone();
            let mounts = shared.project().config_of(&group)?.file_mounts.mounts();
            (!mounts.is_empty()).then_some(Work::Mounts(mounts))
        }
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The operator's credentials, resolved when they are sent.
    Credentials,
    /// These files and folders.
    Mounts(Vec<Mount>),
}

impl Work {
    /// What it is, for messages.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Credentials => "AWS credentials",
            Self::Mounts(_) => "file_mounts",
        }
    }
}

/// Why it was not done.
pub(super) enum NotDone {
    /// The connection.
    Remote(RemoteError),
    /// This machine.
    Here(Failure),
}

/// Does `work`; sends its output to `lines`.
pub(super) async fn run(
    shared: &Shared,
    session: &dyn Session,
    work: &Work,
    lines: mpsc::Sender<String>,
) -> Result<Exit, NotDone> {
    match work {
        Work::Credentials => {
            let credentials = shared.cloud.credentials().await.map_err(NotDone::Here)?;
            let sent = session.put(CREDENTIALS, 0o600, &credentials.as_file(), lines.clone()).await;
            let exit = sent.map_err(NotDone::Remote)?;
            if exit == Exit::Status(0) {
                let temporary = credentials.session_token.is_some();
                let note = if temporary { "; they are temporary and will expire" } else { "" };
                let _ = lines.send(format!("sent to ~/{CREDENTIALS}, mode 600{note}")).await;
            }
            Ok(exit)
        }
        Work::Mounts(mounts) => {
            for mount in mounts {
                let _ = lines.send(format!("+ {} to {}", mount.from.display(), mount.to)).await;
                match session.sync(mount, lines.clone()).await.map_err(NotDone::Remote)? {
                    Exit::Status(0) => {}
                    other => return Ok(other),
                }
            }
            Ok(Exit::Status(0))
        }
    }
}
