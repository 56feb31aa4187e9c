//! `ImportKeyPair`.

use super::{Checked, Kind, MadeId, Refusal, Scene};
use crate::{
    cloud::{KeyPair, PublicKey, Tags},
    model::KeyName,
    sim::world::{described, state::HeldKey},
};

impl Scene<'_> {
    pub(super) fn import_key_pair(
        &mut self,
        name: &KeyName,
        key: &PublicKey,
        tags: &Tags,
    ) -> Checked<MadeId> {
        if self.held.keys.iter().any(|held| held.pair.name == *name) {
            let message = format!("The keypair '{name}' already exists.");
            return Err(Refusal::new("InvalidKeyPair.Duplicate", message));
        }
        if !["ssh-rsa", "ssh-ed25519"].contains(&key.algorithm.as_str()) {
            let message = "Key is not in valid OpenSSH public key format";
            return Err(Refusal::new("InvalidKey.Format", message));
        }
        let parts = [self.region.as_str(), name.as_str(), &key.base64];
        let pair = KeyPair {
            name: name.clone(),
            fingerprint: described::fingerprint(&parts),
            public_key: Some(key.clone()),
        };
        let id = self.make(Kind::Key, "", tags);
        self.held.keys.push(HeldKey { id: id.clone(), pair, material: Some(key.clone()) });
        Ok(Some(id))
    }
}
