//! `auth`: as whom, with which key and through what ssh goes.

use std::path::{Path, PathBuf};

use crate::{
    config::{
        Sourced, SshProxy,
        diagnostic::ids,
        paths,
        reader::{ConfigReader, Cursor},
    },
    model::{is_ssh_command, is_ssh_word},
};

/// The user that Ray's AWS defaults name.
const DEFAULT_USER: &str = "ubuntu";

/// The settings of `auth`.
pub(super) struct Auth {
    pub user: Option<Sourced<String>>,
    pub private_key: Option<Sourced<PathBuf>>,
    pub proxy: Option<SshProxy>,
}

pub(super) fn read(config: &Cursor<'_>, folder: &Path, reader: &mut ConfigReader) -> Auth {
    let auth = config.get("auth").and_then(|auth| reader.map(auth));
    let get = |key: &str| auth.as_ref().and_then(|auth| auth.get(key));
    Auth {
        user: match get("ssh_user") {
            Some(user) => user_name(&user, reader),
            None => Some(Sourced::default(DEFAULT_USER.into(), "Ray's default for AWS")),
        },
        private_key: get("ssh_private_key").and_then(|key| {
            Some(reader.text(&key)?.map(|path| paths::resolve(folder, Path::new(&path))))
        }),
        proxy: proxy(get("ssh_proxy_command"), get("ssh_proxy_use_node_id").as_ref(), reader),
    }
}

fn proxy(
    command: Option<Cursor<'_>>,
    by_id: Option<&Cursor<'_>>,
    reader: &mut ConfigReader,
) -> Option<SshProxy> {
    let use_id = by_id.and_then(|flag| reader.flag(flag)).unwrap_or(false);
    // Ray passes over an empty command.
    let command = command.filter(|command| !command.node.is_empty());
    if let (None, Some(by_id), true) = (&command, by_id, use_id) {
        let message = "`ssh_proxy_use_node_id` needs an `ssh_proxy_command`";
        let help =
            "ssh can't connect to an instance's id by itself: give the command, or remove this";
        reader.report(by_id.error(ids::CONFLICT, message).help(help));
    }
    let command = one_line(&command?, reader)?;
    Some(SshProxy { command, by_id: use_id })
}

/// ssh and its configs take a user name of one plain word.
fn user_name(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<String>> {
    let user = reader.text(place)?;
    if is_ssh_word(&user) {
        return Some(user);
    }
    let message = "`ssh_user` is not a user name that ssh takes";
    let help = "letters, digits and `._-@+:/,` only: for Ubuntu's images it is ubuntu";
    reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    None
}

/// ssh takes an option on one line.
fn one_line(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<String>> {
    let command = reader.text(place)?.map(|text| text.trim().to_owned());
    if command.contains('\n') {
        let message = "ssh takes a proxy command of one line";
        reader.report(
            place.error(ids::INVALID_VALUE, message).help("write it after `>-`, or join it"),
        );
        return None;
    }
    if !is_ssh_command(&command) {
        let message = "ssh can't read this proxy command";
        let help = "close every quote, and remove control characters";
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
        return None;
    }
    Some(command)
}
