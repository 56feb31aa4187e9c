//! What is wrong with the configs, for people.

use serde::Serialize;

use super::{Line, Paint, Tone, line};
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
pub fn diagnostics(diagnostics: &[Diagnostic], paint: Paint) -> Vec<Line> {
    let shown = diagnostics.iter().flat_map(|diagnostic| {
        let text = diagnostic.render();
        let tone = if diagnostic.is_error() { Tone::Bad } else { Tone::Care };
        // `error[config.unknown-key]`, up to the message.
        let (head, rest) = text.split_at(text.find(": ").unwrap_or(0));
        let mut rest = rest.split('\n');
        let first = line![paint.paint(tone, head), rest.next().unwrap_or_default()];
        let below: Vec<_> = rest.map(Line::from).collect();
        [first].into_iter().chain(below).chain([Line::empty()])
    });
    shown.collect()
}
