//! A Python whose Ray and pyquokka are stand-ins, and the leader's answers to them.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
};

use tempfile::TempDir;

/// The folder for PYTHONPATH.
pub struct StandIn(TempDir);

impl StandIn {
    /// Creates stand-ins that report these versions; an empty one is not installed.
    pub fn new(ray: &str, pyquokka: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Whatever the local Python is, it reports the version of the nodes.
        let passes = "import sys\nsys.version_info = (3, 11, 7, 'final', 0)\n";
        fs::write(folder.path().join("sitecustomize.py"), passes).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/handover/stand_in");
        copy(&from, folder.path());
        for (name, version) in [("ray", ray), ("pyquokka", pyquokka)] {
            if version.is_empty() {
                continue;
            }
            let about = folder.path().join(format!("{name}-{version}.dist-info"));
            fs::create_dir(&about).unwrap();
            let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
            fs::write(about.join("METADATA"), text).unwrap();
        }
        Self(folder)
    }

    /// Returns the folder for PYTHONPATH.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a module into it.
    pub fn module(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(format!("{name}.py"));
        fs::write(&path, text).unwrap();
        path
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

/// Answers every PING with PONG, as Redis does, until the test ends, and echoes
/// anything else in upper case.
pub fn answer(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || one(stream));
        }
    });
}

fn one(mut stream: TcpStream) {
    let mut bytes = [0; 256];
    while let Ok(length @ 1..) = stream.read(&mut bytes) {
        let command = bytes[..length].to_ascii_uppercase();
        let answer = if command.starts_with(b"PING") { b"+PONG\r\n".to_vec() } else { command };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Returns a listener at a free port.
pub fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
