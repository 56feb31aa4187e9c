//! Cuts the bytes of a log into lines that a screen and a file can take.

/// The longest line that is kept, in bytes; what comes after it is counted, not kept.
pub const MAX_LINE: usize = 16 * 1024;

/// Gathers bytes until a line is whole.
///
/// A line ends only at `\n`, so that the number of lines is the
/// one that `wc -l` prints on the node. Progress output that overwrites
/// itself with `\r` leaves its last state.
#[derive(Debug, Default)]
pub struct LineSplitter {
    line: Vec<u8>,
    cut: usize,
    /// A `\r` was seen; the next byte decides whether it belongs to the ending.
    returned: bool,
    any: bool,
}

impl LineSplitter {
    /// Takes the next bytes and gives the lines that they complete, without their ending.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => lines.push(self.take()),
                _ => self.byte(byte),
            }
        }
        lines
    }

    /// The last line where it has no ending.
    pub fn finish(&mut self) -> Option<String> {
        self.any.then(|| self.take())
    }

    fn byte(&mut self, byte: u8) {
        self.any = true;
        if byte == b'\r' {
            self.returned = true;
            return;
        }
        if std::mem::take(&mut self.returned) {
            self.line.clear();
            self.cut = 0;
        }
        if self.line.len() < MAX_LINE {
            self.line.push(byte);
        } else {
            self.cut += 1;
        }
    }

    fn take(&mut self) -> String {
        let Self { line, cut, .. } = std::mem::take(self);
        let text = String::from_utf8_lossy(&line);
        match cut {
            0 => text.into_owned(),
            _ => format!("{text} … ({cut} more bytes)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LineSplitter, MAX_LINE};

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = LineSplitter::default();
        let mut lines: Vec<_> = chunks.iter().flat_map(|chunk| splitter.push(chunk)).collect();
        lines.extend(splitter.finish());
        lines
    }

    #[test]
    fn lines_across_chunks() {
        assert_eq!(split(&[b"one\ntw", b"o\n", b"\nthree"]), ["one", "two", "", "three"]);
        assert_eq!(split(&[b"", b"\n"]), [""]);
        assert!(split(&[b""]).is_empty());
    }

    #[test]
    fn a_carriage_return_overwrites_what_was_there() {
        assert_eq!(split(&[b"10 %\r50 %\r", b"100 %\ndone\r\n"]), ["100 %", "done"]);
        assert_eq!(split(&[b"10 %\r", b"\n"]), ["10 %"], "the last state stays");
        assert_eq!(split(&[b"a\r\r\n\r"]), ["a", ""]);
    }

    #[test]
    fn what_is_no_utf8_is_replaced() {
        assert_eq!(split(&[b"caf\xe9\n", "caf\u{e9}".as_bytes()]), ["caf\u{fffd}", "caf\u{e9}"]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let long = vec![b'x'; MAX_LINE + 7];
        let lines = split(&[&long, b"\nnext"]);
        assert_eq!(lines[0], format!("{} … (7 more bytes)", "x".repeat(MAX_LINE)));
        assert_eq!(lines[1], "next");
    }
}
