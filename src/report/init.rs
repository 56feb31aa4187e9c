//! What `init` is about to write, and what it wrote, for people.

use std::path::PathBuf;

use crate::config::init::{Left, Plan, Planned};

use super::{Line, Paint, Tone, fix::hunk_lines};

/// Each file against the one that it is made from; what is left open in it.
pub fn init_plan(plan: &Plan, notes: &[String], paint: Paint) -> Vec<Line> {
    let mut lines: Vec<_> = plan.files.iter().flat_map(|file| self::file(file, paint)).collect();
    let left: Vec<_> = plan.files.iter().flat_map(left).collect();
    if !left.is_empty() {
        lines.push(paint.paint(Tone::Strong, "Left open").into());
        lines.extend(left.iter().map(Line::from));
        lines.push(Line::empty());
    }
    if !notes.is_empty() {
        lines.extend(notes.iter().map(Line::from));
        lines.push(Line::empty());
    }
    lines
}

fn file(file: &Planned, paint: Paint) -> Vec<Line> {
    let old = file.from.as_ref().map(|source| source.path.display().to_string());
    let heads = [
        format!("--- {}", old.as_deref().unwrap_or("/dev/null")),
        format!("+++ {}", file.path.display()),
    ];
    let mut lines: Vec<_> =
        heads.iter().map(|head| Line::from(paint.paint(Tone::Strong, head))).collect();
    lines.extend(file.diff().hunks.iter().flat_map(|hunk| hunk_lines(hunk, paint)));
    lines.push(Line::empty());
    lines
}

fn left(file: &Planned) -> Vec<String> {
    let line = |left: &Left| format!("  {}:{}  {}", file.path.display(), left.line, left.what);
    file.left.iter().map(line).collect()
}

/// What was written, and what comes next; `None`: nothing was to be.
pub fn init_done(plan: &Plan, written: Option<&[PathBuf]>) -> Vec<String> {
    let Some(backups) = written else { return vec!["Nothing was written.".to_owned()] };
    let files: Vec<_> = plan.files.iter().map(|file| file.path.display().to_string()).collect();
    let mut lines = vec![format!("Written: {}.", files.join(", "))];
    lines.extend(backups.iter().map(|path| format!("The old one is {}.", path.display())));
    lines.push(
        "Next: `muster check` lists blocking issues, and `muster fix` fixes what it can.".into(),
    );
    lines
}
