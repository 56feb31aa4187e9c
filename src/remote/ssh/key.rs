//! The public half of a private key file, and what can be wrong with the file.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::{cloud::PublicKey, model::Failure};

/// ssh-keygen answers in milliseconds; a key on a hung network drive does not.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks ssh-keygen for the public key of `path`; never shows what is in the file.
pub async fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let head = readable(path)?;
    let output = keygen(path).await?;
    if output.status.success() {
        return PublicKey::parse(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| not_a_key(path, &head));
    }
    refused(path, &head, &String::from_utf8_lossy(&output.stderr))
}

/// Reads the first bytes, which distinguish the kinds of files.
fn readable(path: &Path) -> Result<String, Failure> {
    let mut head = [0; 64];
    let read = File::open(path).and_then(|mut file| file.read(&mut head));
    let length = read.map_err(|error| unreadable(path, &error))?;
    Ok(String::from_utf8_lossy(&head[..length]).into_owned())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("the private key {shown} does not exist"))
            .hint("correct auth.ssh_private_key, or put the key there"),
        ErrorKind::PermissionDenied => {
            Failure::new(format!("you may not read the private key {shown}"))
                .hint(format!("see who owns it: ls -l {shown}"))
        }
        ErrorKind::IsADirectory => Failure::new(format!("the private key {shown} is a folder"))
            .hint("name the key file itself in auth.ssh_private_key"),
        _ => Failure::new(format!("can't read the private key {shown}: {error}")),
    }
}

async fn keygen(path: &Path) -> Result<Output, Failure> {
    let mut command = Command::new("ssh-keygen");
    super::without_secrets(&mut command);
    // The empty passphrase keeps it from asking.
    command.args(["-y", "-P", "", "-f"]).arg(path).stdin(Stdio::null()).kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::new("ssh-keygen is not installed")
                .hint("install OpenSSH's client (openssh-client, openssh-clients)"))
        }
        Ok(Err(error)) => Err(Failure::new(format!("can't run ssh-keygen: {error}"))),
        Err(_) => Err(Failure::new(format!(
            "ssh-keygen did not answer for {} within {} s",
            path.display(),
            PATIENCE.as_secs()
        ))),
    }
}

fn refused(path: &Path, head: &str, output: &str) -> Result<PublicKey, Failure> {
    let shown = path.display();
    if output.contains("UNPROTECTED PRIVATE KEY FILE") || output.contains("bad permissions") {
        return Err(Failure::new(format!(
            "others may read the private key {shown}, so ssh refuses to use it"
        ))
        .hint(format!("chmod 600 {shown}")));
    }
    if output.contains("incorrect passphrase") {
        return public_half(path).ok_or_else(|| {
            Failure::new(format!("the private key {shown} is protected by a passphrase")).hint(
                format!(
                    "put its public key into {shown}.pub and the key into your ssh-agent: ssh-add {shown}"
                ),
            )
        });
    }
    Err(not_a_key(path, head))
}

/// Reads `<path>.pub`, where ssh itself looks for the public key.
fn public_half(path: &Path) -> Option<PublicKey> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    PublicKey::parse(&fs::read_to_string(PathBuf::from(public)).ok()?)
}

fn not_a_key(path: &Path, head: &str) -> Failure {
    let shown = path.display();
    if head.starts_with("PuTTY-User-Key-File") {
        return Failure::new(format!("the private key {shown} is in PuTTY's format"))
            .hint(format!("convert it: puttygen {shown} -O private-openssh -o key.pem"));
    }
    if head.starts_with("ssh-") || head.starts_with("ecdsa-") {
        return Failure::new(format!("{shown} is a public key"))
            .hint("name the private half in auth.ssh_private_key");
    }
    Failure::new(format!("{shown} is not a private key that ssh can read"))
        .hint("name an OpenSSH or PEM private key in auth.ssh_private_key")
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Error, ErrorKind},
        path::Path,
    };

    use super::{refused, unreadable};

    #[test]
    fn a_key_of_another_user_names_its_owner() {
        let failure = unreadable(Path::new("/k/id"), &Error::from(ErrorKind::PermissionDenied));
        assert_eq!(failure.message, "you may not read the private key /k/id");
        assert_eq!(failure.hint.as_deref(), Some("see who owns it: ls -l /k/id"));
    }

    #[test]
    fn what_ssh_keygen_prints_of_the_file_is_not_passed_on() {
        let output = "Load key \"/k/id\": invalid format with a secret in it";
        let failure = refused(Path::new("/k/id"), "secret", output).expect_err("no key");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
}
