//! A machine in place of an instance: namespaces, a disk, and an sshd.

use std::{
    fs::{self, File},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{network, sandbox};
use crate::support::sshd::keygen;

const INIT: &str = include_str!("node.sh");

/// A running machine; dropping it cuts the power. Its disk stays.
pub struct Machine {
    network: String,
    first: Child,
}

impl Machine {
    /// Boots the machine whose disk is in `folder`, which is created if missing.
    /// `boot` is unique for each boot of each machine. `public_key` is authorized
    /// for root.
    pub fn boot(folder: &Path, boot: u32, address: Ipv4Addr, public_key: &str) -> Self {
        if !folder.exists() {
            fs::create_dir(folder).unwrap();
            keygen(&folder.join("host_key"), &["-t", "ed25519"]);
        }
        fs::write(folder.join("authorized_keys"), public_key).unwrap();
        fs::write(folder.join("sshd_config"), sshd_config(address)).unwrap();
        let network = format!("node{boot}");
        network::connect(&network, address);
        let console = File::options().create(true).append(true).open(console(folder)).unwrap();
        let mut init = Command::new("ip");
        init.args(["netns", "exec", &network, "unshare", "--mount", "--pid", "--uts", "--ipc"])
            .args(["--fork", "--kill-child=KILL", "bash", "-c", INIT, "node"])
            .arg(folder)
            .arg(address.to_string())
            .args(readable());
        init.stdin(Stdio::null()).stdout(console.try_clone().unwrap()).stderr(console);
        // Machines do not inherit the test's environment.
        init.env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        Self { network, first: init.spawn().unwrap() }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.first.kill());
        drop(self.first.wait());
        network::disconnect(&self.network);
    }
}

/// Returns the console log of the machine whose disk is in `folder`.
pub fn console(folder: &Path) -> PathBuf {
    folder.join("console")
}

/// Returns the prepared environments, and the Pythons that they are based on.
fn readable() -> Vec<String> {
    let program = "import sys; print(sys.prefix); print(sys.base_prefix)";
    let mut folders = Vec::new();
    for python in [sandbox::python(), sandbox::ray_up_python()] {
        let output = Command::new(python).args(["-c", program]).output().unwrap();
        folders.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));
    }
    folders.sort();
    folders.dedup();
    // Part of every machine anyway.
    folders.retain(|folder| folder != "/usr");
    folders
}

fn sshd_config(address: Ipv4Addr) -> String {
    format!(
        "ListenAddress {address}\n\
         HostKey /run/sshd/host_key\n\
         AuthorizedKeysFile /run/sshd/authorized_keys\n\
         PidFile none\n\
         StrictModes no\n\
         UsePAM no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PrintMotd no\n"
    )
}
