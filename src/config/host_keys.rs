//! `host_keys` of muster.yaml: what is asked of a node's host key.

/// What has to be known of a node's host key before anything secret is sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// It is the one in the instance's console output. Credentials and
    /// `file_mounts` are not sent before.
    Verify,
    /// It is the one of the first connection, whichever that was.
    Pin,
}

impl HostKeyPolicy {
    /// The names in muster.yaml.
    pub(super) const NAMES: [(&str, Self); 2] = [("verify", Self::Verify), ("pin", Self::Pin)];

    /// Its name in muster.yaml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Pin => "pin",
        }
    }
}
