//! What is wrong with the configs, for people.

use super::{Paint, Tone};
use crate::config::Diagnostic;

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
