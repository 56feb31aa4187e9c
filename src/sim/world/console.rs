//! The console of a machine, where cloud-init prints its host keys.

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::time::Instant;

use super::machine::Machine;
use crate::{model::Fingerprint, sim::dice};

impl Machine {
    /// What its console shows at `moment`, once it shows anything.
    pub(super) fn console_at(&self, moment: Instant) -> Option<String> {
        if moment < self.about.life.console_at {
            return None;
        }
        let name = self.about.private_ip.to_string().replace('.', "-");
        let key = public_key(self.about.id.as_str());
        Some(format!(
            "[    0.000000] Linux version 6.8.0-1021-aws (simulated)\r\n\
             -----BEGIN SSH HOST KEY KEYS-----\r\n\
             {key} root@ip-{name}\r\n\
             -----END SSH HOST KEY KEYS-----\r\n\
             [   11.482913] cloud-init[1214]: Cloud-init v. 24.1.3 finished\r\n"
        ))
    }

    /// The fingerprint of the host key that answers at its address.
    pub(super) fn host_key(&self, impostor: bool) -> Option<Fingerprint> {
        let id = self.about.id.as_str();
        let key = if impostor { public_key(&format!("impostor of {id}")) } else { public_key(id) };
        Fingerprint::of_public_key(&key)
    }
}

/// An ED25519 key drawn from `seed`, in the form of a `.pub` file.
fn public_key(seed: &str) -> String {
    let name = "ssh-ed25519";
    let mut key = vec![0, 0, 0, 11];
    key.extend(name.bytes());
    key.extend([0, 0, 0, 32]);
    key.extend(
        ["a", "b", "c", "d"]
            .iter()
            .flat_map(|part| dice::draw(&[seed, "host key", part]).to_be_bytes()),
    );
    format!("{name} {}", STANDARD.encode(key))
}
