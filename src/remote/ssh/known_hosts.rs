//! The host keys that ssh has pinned, in the cluster's `known_hosts`.
//!
//! ssh writes a key there at the first connection, under the instance's id
//! (`HostKeyAlias`), before it logs in.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

use crate::model::{Failure, Fingerprint, InstanceId};

/// The most of the file that is read, in bytes: a node takes a few hundred.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Returns the fingerprints of all keys that are pinned for `instance`; none
/// before its first connection. `Err` where the file can't be read, or a line
/// of the instance holds no key.
pub fn pinned(path: &Path, instance: &InstanceId) -> Result<Vec<Fingerprint>, Failure> {
    let text = read(path)?;
    let keys = text.lines().filter_map(|line| of(line, instance));
    let unreadable = || {
        Failure::new(format!("{} holds a line of {instance} without a key", path.display()))
            .hint("remove that line, then connect again")
    };
    keys.map(|key| Fingerprint::of_public_key(key).ok_or_else(unreadable)).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    }
}

/// The key in `line`, if the line is of `instance`.
fn of<'a>(line: &'a str, instance: &InstanceId) -> Option<&'a str> {
    let (names, key) = line.trim_start().split_once([' ', '\t'])?;
    names.split(',').any(|name| name == instance.as_str()).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";

    #[test]
    fn the_keys_of_an_instance_are_those_under_its_id() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("known_hosts");
        let of =
            |id: &str| pinned(&path, &id.into()).map(|keys| keys.len()).map_err(|_| "unreadable");
        assert_eq!(of("i-1"), Ok(0), "before the first connection");
        let text = format!("# i-1 {KEY}\ni-1 {KEY}\nother,i-2 {KEY}\ni-2 {KEY}\ni-3 nonsense\n");
        fs::write(&path, text).expect("written");
        assert_eq!(
            [of("i-1"), of("i-2"), of("i-3"), of("i")],
            [Ok(1), Ok(2), Err("unreadable"), Ok(0)]
        );
    }
}
