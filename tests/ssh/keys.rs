//! Private key files, valid and invalid.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use muster::{
    cloud::PublicKey,
    model::{ClusterId, Failure},
    remote::{Remote, SshOptions, SshRemote},
};
use tempfile::TempDir;

use crate::support::sshd::keygen;

struct Keys {
    folder: TempDir,
    remote: SshRemote,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SshOptions {
            folder: folder.path().join("cluster"),
            include: None,
            cluster: ClusterId::new("test-abc123"),
        };
        let remote = SshRemote::new(options).unwrap();
        Self { folder, remote }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn made(&self, name: &str, options: &[&str]) -> PathBuf {
        let path = self.path(name);
        keygen(&path, options);
        path
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    async fn read(&self, path: &Path) -> Result<PublicKey, Failure> {
        self.remote.public_key(path).await
    }

    async fn refused(&self, path: &Path) -> (String, String) {
        let failure = self.read(path).await.unwrap_err();
        (failure.message, failure.hint.unwrap_or_default())
    }
}

#[tokio::test]
async fn keys_of_every_kind_are_read() {
    let keys = Keys::new();
    for (name, options) in [
        ("my ed25519", &["-t", "ed25519"][..]),
        ("rsa.pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("ecdsa", &["-t", "ecdsa"]),
    ] {
        let path = keys.made(name, options);
        let public = fs::read_to_string(path.with_file_name(format!("{name}.pub"))).unwrap();
        fs::remove_file(path.with_file_name(format!("{name}.pub"))).unwrap();
        assert_eq!(keys.read(&path).await.unwrap(), PublicKey::parse(&public).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_key_with_a_passphrase_needs_its_public_half_next_to_it() {
    let keys = Keys::new();
    let path = keys.made("locked", &["-t", "ed25519", "-N", "a secret"]);
    let public_path = keys.path("locked.pub");
    let public = PublicKey::parse(&fs::read_to_string(&public_path).unwrap()).unwrap();
    assert_eq!(keys.read(&path).await.unwrap(), public);
    fs::remove_file(&public_path).unwrap();
    let (message, hint) = keys.refused(&path).await;
    assert!(message.contains("passphrase"), "{message}");
    assert!(hint.contains("ssh-add"), "{hint}");
}

#[tokio::test]
async fn a_key_that_others_may_read_is_refused() {
    let keys = Keys::new();
    let path = keys.made("open", &["-t", "ed25519"]);
    for mode in [0o640, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (message, hint) = keys.refused(&path).await;
        assert!(message.contains("others may read"), "{message}");
        assert_eq!(hint, format!("chmod 600 {}", path.display()));
    }
}

#[tokio::test]
async fn files_other_than_private_keys_are_identified() {
    let keys = Keys::new();
    keys.made("pair", &["-t", "ed25519"]);
    fs::set_permissions(keys.path("pair.pub"), fs::Permissions::from_mode(0o600)).unwrap();
    let putty = keys.written("key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nsecret\n");
    let garbage = keys.written("garbage", "secret");
    for (path, what) in [
        (keys.path("missing"), "does not exist"),
        (keys.folder.path().to_owned(), "is a folder"),
        (keys.path("pair.pub"), "is a public key"),
        (putty, "PuTTY"),
        (garbage, "is not a private key"),
        (keys.written("empty", ""), "is not a private key"),
    ] {
        let (message, _) = keys.refused(&path).await;
        assert!(message.contains(what) && message.contains(path.to_str().unwrap()), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}
