//! SSH host keys: the public ones, by which a client recognises a node.

use std::{fmt, str::FromStr};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest public key that is read, in bytes; one of RSA with 16384 bits has 2 KiB.
const LONGEST: usize = 8 * 1024;

/// The type of a host key, as OpenSSH names it next to a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKeyType {
    /// `ssh-dss`.
    Dsa,
    /// `ssh-rsa`.
    Rsa,
    /// `ecdsa-sha2-nistp…`.
    Ecdsa,
    /// `ssh-ed25519`.
    Ed25519,
}

impl HostKeyType {
    const ALL: [Self; 4] = [Self::Dsa, Self::Rsa, Self::Ecdsa, Self::Ed25519];

    /// Its name next to a fingerprint: `ED25519`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dsa => "DSA",
            Self::Rsa => "RSA",
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "ED25519",
        }
    }

    /// Reads its name next to a fingerprint.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Reads the name in front of a public key: `ssh-ed25519`.
    fn of_algorithm(name: &str) -> Option<Self> {
        Some(match name {
            "ssh-dss" => Self::Dsa,
            "ssh-rsa" => Self::Rsa,
            "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => Self::Ecdsa,
            "ssh-ed25519" => Self::Ed25519,
            _ => return None,
        })
    }
}

/// A host key's fingerprint as OpenSSH prints it: `ED25519 SHA256:…`. Two keys
/// with one fingerprint are the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint {
    key_type: HostKeyType,
    /// SHA-256 in base64 without padding: 43 characters.
    digest: String,
}

impl Fingerprint {
    /// Reads a public key of the form `ssh-ed25519 AAAA… comment` as files and
    /// consoles hold it. `None` where it is not one of a known type, its base64
    /// does not decode, or the key inside is of another type.
    pub fn of_public_key(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (algorithm, base64) = (words.next()?, words.next()?);
        let key_type = HostKeyType::of_algorithm(algorithm)?;
        if base64.len() > LONGEST / 3 * 4 {
            return None;
        }
        let key = STANDARD.decode(base64).ok()?;
        // A key begins with the name of its type: the length in four bytes, then the name.
        let length = u32::try_from(algorithm.len()).ok()?.to_be_bytes();
        let rest = key.strip_prefix(&length)?.strip_prefix(algorithm.as_bytes())?;
        let digest = STANDARD_NO_PAD.encode(Sha256::digest(&key));
        (!rest.is_empty()).then_some(Self { key_type, digest })
    }

    /// Reads `SHA256:…`, the fingerprint of a key of `key_type`.
    pub fn parse(key_type: HostKeyType, text: &str) -> Option<Self> {
        let digest = text.strip_prefix("SHA256:")?;
        let bytes = STANDARD_NO_PAD.decode(digest).ok()?;
        (bytes.len() == 32).then(|| Self { key_type, digest: digest.to_owned() })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} SHA256:{}", self.key_type.as_str(), self.digest)
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = text
            .split_once(' ')
            .and_then(|(name, rest)| Self::parse(HostKeyType::named(name)?, rest));
        read.ok_or("not a fingerprint of a host key")
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ssh-keygen -lf` prints of it is in [`PRINTED`].
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";
    const PRINTED: &str = "ED25519 SHA256:OccoWNyfFXwYrOKQMitzunssh9hsF80YHPcv924QxgI";

    #[test]
    fn a_key_has_the_fingerprint_that_ssh_keygen_prints() {
        let of_key = Fingerprint::of_public_key(&format!("{KEY} root@ip-10-1-0-4")).expect("a key");
        assert_eq!(of_key.to_string(), PRINTED);
        assert_eq!(PRINTED.parse(), Ok(of_key));
    }

    #[test]
    fn what_is_no_host_key_is_refused() {
        let (_, blob) = KEY.split_once(' ').expect("two words");
        for line in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-ed25519 AAAA!",
            &format!("ssh-rsa {blob}"),
            &format!("ssh-ed25519-cert-v01@openssh.com {blob}"),
            &format!("sk-ssh-ed25519@openssh.com {blob}"),
            &KEY[..KEY.len() - 1],
            &format!("ssh-rsa {}", "A".repeat(LONGEST * 2)),
        ] {
            assert_eq!(Fingerprint::of_public_key(line), None, "{line}");
        }
    }

    #[test]
    fn a_fingerprint_has_the_length_of_its_digest() {
        for text in ["ED25519 SHA256:", "ED25519 SHA256:AAAA", "ED25519 MD5:12:34", "X SHA256:AAAA"]
        {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
