//! What can go wrong between here and a node, sorted by what is done about it.

use crate::model::{Failure, NodeName};

/// The answer of a call to a node.
pub type Result<T> = std::result::Result<T, RemoteError>;

/// A connection that failed or broke.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{node}: {message}")]
pub struct RemoteError {
    /// What kind of trouble.
    pub kind: RemoteErrorKind,
    /// The node.
    pub node: NodeName,
    /// The message of ssh.
    pub message: String,
}

/// Sorts errors by what is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteErrorKind {
    /// Refused, no route, no answer: usual while an instance boots.
    Unreachable,
    /// The node accepts connections and then does not answer: usual for a moment
    /// while an instance boots, otherwise it is frozen or overloaded.
    Unresponsive,
    /// `Permission denied (publickey)`: usual for some seconds while
    /// cloud-init writes `authorized_keys`, final after that.
    Denied,
    /// The host key is not the pinned one.
    HostKeyChanged,
    /// The connection was there and broke.
    Lost,
    /// The local side can't work: no ssh, a bad ssh config, a bad key file.
    Local,
}

impl RemoteErrorKind {
    /// Whether the same call may succeed a little later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Unresponsive | Self::Denied | Self::Lost)
    }
}

impl From<&RemoteError> for Failure {
    fn from(error: &RemoteError) -> Self {
        let hint = match error.kind {
            RemoteErrorKind::Unreachable => {
                "check the security group's port 22, the subnet's route to an internet gateway, and use_internal_ips"
            }
            RemoteErrorKind::Unresponsive => {
                "the instance is frozen or overloaded: check its console output and status checks \
                 (`aws ec2 get-console-output`, `aws ec2 describe-instance-status`), and reboot it"
            }
            RemoteErrorKind::Denied => {
                "check auth.ssh_user against the image, and that the key pair is this private key's"
            }
            RemoteErrorKind::HostKeyChanged => {
                "another host answers at this address; if that is expected, terminate the node or remove its line from known_hosts"
            }
            RemoteErrorKind::Lost => {
                "retry the node; the step keeps running there, and muster resumes it"
            }
            RemoteErrorKind::Local => "check that ssh is installed and your ssh config is valid",
        };
        Self::new(error.message.clone()).hint(hint)
    }
}
