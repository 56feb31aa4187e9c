//! `DescribeKeyPairs` and `ImportKeyPair`.

use aws_sdk_ec2::{
    primitives::Blob,
    types::{self, ResourceType},
};

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed},
    tags,
};
use crate::{
    cloud::{KeyPair, PublicKey, Result, Tags},
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

/// Makes a key pair of its public half.
pub(super) async fn import(
    at: &RegionClient,
    name: &KeyName,
    key: &PublicKey,
    tags: &Tags,
) -> Result<MadeId> {
    let line = format!("{} {}", key.algorithm, key.base64);
    let call = at.client.import_key_pair().key_name(name.as_str());
    let call = call.public_key_material(Blob::new(line));
    let call = call.set_tag_specifications(tags::on([ResourceType::KeyPair], tags)).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("ImportKeyPair", answer, |made| made.key_pair_id).await
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
