//! `DescribeKeyPairs`.

use aws_sdk_ec2::types;

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed},
};
use crate::{
    cloud::{KeyPair, PublicKey, Result},
    model::KeyName,
};

const OPERATION: &str = "DescribeKeyPairs";

/// The key pairs of these names, with their public keys. Has no pages.
pub(super) async fn describe(at: &RegionClient, names: &[KeyName]) -> Result<Vec<KeyPair>> {
    filter::in_chunks("key-name", names, |filter| async move {
        let call = at.client.describe_key_pairs().include_public_key(true).filters(filter);
        let answer = call.send().await.map_err(|error| at.failed(OPERATION, &error))?;
        at.read(OPERATION, answer.key_pairs.unwrap_or_default(), key_pair)
    })
    .await
}

fn key_pair(pair: types::KeyPairInfo) -> Parsed<KeyPair> {
    Ok(KeyPair {
        name: parse::name(pair.key_name, "keyName")?,
        fingerprint: pair.key_fingerprint.unwrap_or_default(),
        public_key: pair.public_key.as_deref().and_then(PublicKey::parse),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_of_a_public_key_is_left_out() {
        let sdk = types::KeyPairInfo::builder()
            .key_name("quokka")
            .public_key("ssh-ed25519 AAAAC3Nz quokka@laptop\n");
        let key = PublicKey { algorithm: "ssh-ed25519".into(), base64: "AAAAC3Nz".into() };
        assert_eq!(key_pair(sdk.build()).map(|pair| pair.public_key), Ok(Some(key)));
    }

    #[test]
    fn a_pair_without_a_public_key_is_still_a_pair() {
        let sdk = types::KeyPairInfo::builder().key_name("old").key_fingerprint("1f:51");
        let expected =
            KeyPair { name: "old".into(), fingerprint: "1f:51".into(), public_key: None };
        assert_eq!(key_pair(sdk.build()), Ok(expected));
    }
}
