//! What an instance prints on its console, and the host keys that are in it.
//!
//! cloud-init prints the instance's host keys there at its first boot, once as
//! fingerprints and once as keys. A process on the instance can print
//! more later, so the text is untrusted: the first block in it counts.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::model::{Fingerprint, HostKeyType};

/// The most of an output that is kept, in bytes. EC2 keeps 64 KiB.
const LONGEST: usize = 256 * 1024;
/// The most lines of a block. An instance has a handful of keys; kernel messages
/// may stand between them.
const MOST_LINES: usize = 64;
/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// The console output of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleOutput(String);

impl ConsoleOutput {
    /// Keeps the beginning of `text`, which was printed first.
    pub fn new(mut text: String) -> Self {
        text.truncate(text.floor_char_boundary(LONGEST));
        Self(text)
    }

    /// Decodes what `GetConsoleOutput` returns; `None` where it is not base64.
    pub fn decode(base64: &str) -> Option<Self> {
        // Whole groups of four characters.
        let most = LONGEST.div_ceil(3) * 4;
        let base64: String =
            base64.chars().filter(|c| !c.is_ascii_whitespace()).take(most).collect();
        let bytes = STANDARD.decode(base64).ok()?;
        Some(Self::new(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the fingerprints of the host keys in the first complete block
    /// that holds any; empty where there is none yet.
    pub fn host_keys(&self) -> Vec<Fingerprint> {
        let mut block: Option<Block> = None;
        for line in self.0.lines().map(str::trim) {
            let Some(open) = &mut block else {
                block = Kind::begun_by(line).map(Block::new);
                continue;
            };
            if open.kind.is_ended_by(line) {
                if !open.keys.is_empty() {
                    return std::mem::take(&mut open.keys);
                }
                block = None;
            } else if let Some(kind) = Kind::begun_by(line) {
                // The end of the one before was overwritten.
                block = Some(Block::new(kind));
            } else if !open.take(line) {
                block = None;
            }
        }
        Vec::new()
    }
}

/// The two forms in which cloud-init prints host keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `256 SHA256:… root@ip-10-1-0-4 (ED25519)`.
    Fingerprints,
    /// `ssh-ed25519 AAAA… root@ip-10-1-0-4`.
    Keys,
}

impl Kind {
    fn begun_by(line: &str) -> Option<Self> {
        [Self::Fingerprints, Self::Keys]
            .into_iter()
            .find(|kind| is_mark(line, "BEGIN", kind.name()))
    }

    fn is_ended_by(self, line: &str) -> bool {
        is_mark(line, "END", self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fingerprints => "SSH HOST KEY FINGERPRINTS",
            Self::Keys => "SSH HOST KEY KEYS",
        }
    }
}

/// `-----BEGIN SSH HOST KEY KEYS-----`, alone or behind the name of its writer.
fn is_mark(line: &str, edge: &str, name: &str) -> bool {
    let mark = content(line).strip_prefix("-----").and_then(|line| line.strip_suffix("-----"));
    mark.and_then(|mark| mark.strip_prefix(edge)).and_then(|mark| mark.strip_prefix(' '))
        == Some(name)
}

/// A line without what stands in front of it: `<14>Nov 24 19:00:02 ec2: `.
fn content(line: &str) -> &str {
    line.rsplit_once(": ").map_or(line, |(_, content)| content)
}

/// A block whose end has not come yet.
struct Block {
    kind: Kind,
    lines: usize,
    keys: Vec<Fingerprint>,
}

impl Block {
    fn new(kind: Kind) -> Self {
        Self { kind, lines: 0, keys: Vec::new() }
    }

    /// Takes in a line, which may be one of the kernel's; false where the block has too many.
    fn take(&mut self, line: &str) -> bool {
        self.lines += 1;
        if line.len() <= LONGEST_LINE {
            let line = content(line);
            self.keys.extend(match self.kind {
                Kind::Keys => Fingerprint::of_public_key(line),
                Kind::Fingerprints => printed(line),
            });
        }
        self.lines <= MOST_LINES
    }
}

/// Reads `256 SHA256:… root@ip-10-1-0-4 (ED25519)`, as `ssh-keygen -l` prints it.
fn printed(line: &str) -> Option<Fingerprint> {
    let mut words = line.split_ascii_whitespace();
    let (bits, digest, last) = (words.next()?, words.next()?, words.last()?);
    let _: u32 = bits.parse().ok()?;
    let name = last.strip_prefix('(')?.strip_suffix(')')?;
    Fingerprint::parse(HostKeyType::named(name)?, digest)
}

#[cfg(test)]
mod tests;
