//! A real sshd on 127.0.0.1 with its own host key, port and user key, and its own
//! home folder for files of its users.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::net::TcpSocket;

/// A running sshd; dropping it ends it, its connections, and all processes in its home.
pub struct Sshd {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Sshd {
    /// Starts an sshd that accepts the current user with [`Self::private_key`].
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with additional environment variables for logins:
    /// `PATH=/some/bin LANG=C`.
    pub fn start_with(env: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("muster-sshd-").tempdir().unwrap();
        for name in ["host_key", "user_key"] {
            keygen(&folder.path().join(name), &["-t", "ed25519"]);
        }
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::copy(folder.path().join("user_key.pub"), folder.path().join("authorized_keys"))
            .unwrap();
        // sshd requires this folder when run as root.
        drop(fs::create_dir_all("/run/sshd"));
        let (process, port) = launch(folder.path(), None, env);
        Self { folder, port, process }
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its only user: the one who runs the test.
    pub fn user() -> String {
        let output = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Its public host key, as files hold it.
    pub fn host_key(&self) -> String {
        fs::read_to_string(self.folder.path().join("host_key.pub")).unwrap()
    }

    /// The key that is let in.
    pub fn private_key(&self) -> PathBuf {
        self.folder.path().join("user_key")
    }

    /// Returns the home folder of all logins.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Returns an ssh config that directs every connection here, whatever the address.
    pub fn ssh_config(&self) -> PathBuf {
        let path = self.folder.path().join("ssh_config");
        write_ssh_config(&path, self.port);
        path
    }

    /// Breaks every open connection.
    pub fn cut(&self) {
        kill("KILL", &descendants(self.process.id()));
    }

    /// Suspends it: connections stay open and get no answer.
    pub fn freeze(&self) {
        let mut pids = descendants(self.process.id());
        pids.push(self.process.id());
        kill("STOP", &pids);
    }

    /// Restarts it at the same port with another host key, as another machine would.
    pub fn change_host_key(&mut self) {
        self.change_host_key_to("ed25519");
    }

    /// The same with a host key of type `key_type`.
    pub fn change_host_key_to(&mut self, key_type: &str) {
        self.end();
        let key = self.folder.path().join("host_key");
        fs::remove_file(&key).unwrap();
        keygen(&key, &["-t", key_type]);
        (self.process, self.port) = launch(self.folder.path(), Some(self.port), "");
    }

    /// Runs this command instead of a shell for the key, as cloud images do for root.
    pub fn force_command(&mut self, command: &str) {
        let path = self.folder.path().join("authorized_keys");
        let keys = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("command=\"{command}\" {keys}")).unwrap();
    }

    /// Returns the processes in its home.
    pub fn processes(&self) -> Vec<u32> {
        let mark = format!("HOME={}\0", self.home().display());
        let of_ours = |pid: &u32| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environ| String::from_utf8_lossy(&environ).contains(&mark))
        };
        pids().into_iter().filter(of_ours).collect()
    }

    fn end(&mut self) {
        let mut pids = descendants(self.process.id());
        pids.push(self.process.id());
        // KILL also ends a suspended process.
        kill("KILL", &pids);
        drop(self.process.wait());
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
        kill("KILL", &self.processes());
    }
}

/// Writes an ssh config to `path` that directs every connection to 127.0.0.1:`port`.
pub fn write_ssh_config(path: &Path, port: u16) {
    fs::write(path, format!("Host *\n    HostName 127.0.0.1\n    Port {port}\n")).unwrap();
}

/// Creates a key pair without a passphrase, unless `options` set one.
pub fn keygen(path: &Path, options: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command.arg("-q").arg("-f").arg(path).args(options);
    if !options.contains(&"-N") {
        command.args(["-N", ""]);
    }
    assert!(command.status().unwrap().success(), "ssh-keygen {options:?} failed");
}

/// A port that refuses connections until dropped.
pub struct ShutPort(TcpSocket);

impl ShutPort {
    /// Reserves a port.
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Bound, so that no other process gets it, but never listening.
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    /// Returns its number.
    pub fn number(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn launch(folder: &Path, port: Option<u16>, env: &str) -> (Child, u16) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let port = port.unwrap_or_else(free_port);
        match try_launch(folder, port, env) {
            Ok(child) => return (child, port),
            // The port was taken in the meantime; its last owner's connections may linger.
            Err(message) if message.contains("in use") && Instant::now() < end => {}
            Err(message) => panic!("sshd does not start: {message}"),
        }
    }
}

fn try_launch(folder: &Path, port: u16, env: &str) -> Result<Child, String> {
    let config = folder.join("sshd_config");
    fs::write(&config, sshd_config(folder, port, env)).unwrap();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(&config).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("/usr/sbin/sshd is not there: run ./scripts/test");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut output = String::new();
    while let Some(line) = lines.next() {
        output = output + &line + "\n";
        if line.contains("Server listening on") {
            // sshd must not block on a full pipe later.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(child);
        }
    }
    drop(child.wait());
    Err(output)
}

fn sshd_config(folder: &Path, port: u16, env: &str) -> String {
    let folder = folder.display();
    // sshd uses only the first of several `SetEnv` lines.
    format!(
        "ListenAddress 127.0.0.1:{port}\n\
         HostKey {folder}/host_key\n\
         AuthorizedKeysFile {folder}/authorized_keys\n\
         PidFile none\n\
         StrictModes no\n\
         UsePAM no\n\
         PermitRootLogin yes\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PrintMotd no\n\
         LogLevel VERBOSE\n\
         SetEnv {env} HOME={folder}/home\n"
    )
}

fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Returns the sshd processes below `pid`: one or two for each connection.
fn descendants(pid: u32) -> Vec<u32> {
    let all: Vec<_> = pids().into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&above) = found.get(next) {
        let below =
            all.iter().filter(|(_, (parent, name))| *parent == above && name.starts_with("sshd"));
        found.extend(below.map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn parent(pid: u32) -> Option<(u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    Some((tail.split(' ').nth(1)?.parse().ok()?, name))
}

/// Sends `signal` to these processes.
pub fn kill(signal: &str, pids: &[u32]) {
    if !pids.is_empty() {
        let pids = pids.iter().map(u32::to_string);
        // kill reports processes that have already ended, which is fine.
        drop(Command::new("kill").args(["-s", signal]).args(pids).stderr(Stdio::null()).status());
    }
}
