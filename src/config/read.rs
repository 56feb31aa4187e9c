//! Files into [`Source`]s. What is no ordinary file is not opened, so that a
//! pipe or a device can't hang the start.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use super::{Diagnostic, Source, diagnostic::ids, text};

/// Largest file that is read, in bytes. A large config has about 20 000; one
/// that a program wrote may have some millions.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Reads the file that the user calls `named`, relative to `folder`.
pub(super) fn read(folder: &Path, named: &Path) -> Result<Source, Box<Diagnostic>> {
    let path = folder.join(named);
    let shown = text::shown(&named.to_string_lossy());
    let unreadable = |error: io::Error| system_error(&shown, &error);
    let kind = fs::metadata(&path).map_err(unreadable)?;
    if !kind.is_file() {
        return Err(not_a_file(&shown, kind.is_dir()).into());
    }
    let size = usize::try_from(kind.len().min(MAX_BYTES)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(size + 1);
    let file = File::open(&path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(&shown, kind.len()).into());
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&shown, error.as_bytes()))?;
    Ok(Source { path: named.into(), text: normalized(&text).into() })
}

/// Without a byte order mark, every line ended by `\n`, so that our lines are
/// the parser's.
pub(super) fn normalized(text: &str) -> Cow<'_, str> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.contains('\r') {
        return text.into();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").into()
}

fn system_error(shown: &str, error: &io::Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Diagnostic::error(ids::FILE_MISSING, format!("there is no file `{shown}`"))
                .help("paths start from the folder that muster is run in")
        }
        ErrorKind::PermissionDenied => {
            Diagnostic::error(ids::FILE_UNREADABLE, format!("`{shown}` may not be read: {error}"))
                .help(format!("check who may read it: ls -l {shown}"))
        }
        _ => Diagnostic::error(ids::FILE_UNREADABLE, format!("`{shown}` can't be read: {error}")),
    }
}

fn not_a_file(shown: &str, is_folder: bool) -> Diagnostic {
    let (kind, help) = if is_folder {
        ("a folder", "name the file in it; `muster` alone, run in it, opens its muster.yaml")
    } else {
        ("a pipe, socket or device", "save what it gives as a file first")
    };
    Diagnostic::error(ids::NOT_A_FILE, format!("`{shown}` is {kind}, not a file")).help(help)
}

fn too_large(shown: &str, bytes: u64) -> Diagnostic {
    let message = format!("`{shown}` has {bytes} bytes, and no config has more than {MAX_BYTES}");
    Diagnostic::error(ids::FILE_TOO_LARGE, message).help("is this the right file?")
}

fn not_utf8(shown: &str, bytes: &[u8]) -> Diagnostic {
    let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    let line = 1 + bytes.iter().take(valid).filter(|byte| **byte == b'\n').count();
    let help = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16: save it as UTF-8",
        _ => "save it as UTF-8",
    };
    Diagnostic::error(ids::NOT_UTF8, format!("`{shown}` is not UTF-8 text (line {line})"))
        .help(help)
}
