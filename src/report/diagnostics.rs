//! What is wrong with the configs, for people.

use serde::Serialize;

use super::{Paint, Tone};
use crate::config::Diagnostic;

/// The one document that a command with `--format json` prints where the
/// configs are wrong; `check` prints its own, which holds them as well.
#[derive(Debug, Serialize)]
pub struct DiagnosticsDocument<'a> {
    /// The form of this document.
    pub version: u32,
    /// What is wrong.
    pub diagnostics: &'a [Diagnostic],
    /// The process's exit code.
    pub exit_code: u8,
}

/// All of `diagnostics`, an empty line behind each.
pub fn diagnostics(diagnostics: &[Diagnostic], paint: Paint) -> Vec<String> {
    let shown = diagnostics.iter().map(|diagnostic| {
        let text = diagnostic.render();
        let tone = if diagnostic.is_error() { Tone::Bad } else { Tone::Care };
        // `error[config.unknown-key]`, up to the message.
        let (head, rest) = text.split_at(text.find(": ").unwrap_or(0));
        format!("{}{rest}\n", paint.paint(tone, head))
    });
    shown.collect()
}
