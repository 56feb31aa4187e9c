//! The README and docs/ match the program's own tables and help.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

use std::{fs, path::Path};

use clap::CommandFactory;
use muster::{cli::Cli, tui::keymap};

const BEGIN: &str = "<!-- keys -->\n";
const END: &str = "<!-- /keys -->";

/// `MUSTER_WRITE_DOCS=1` writes the section.
#[test]
fn the_keys_in_docs_keys_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (keys, after) = rest.split_once(END).unwrap();
    let table = format!("\n{}\n", keymap::markdown());
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(keys, table, "write it with MUSTER_WRITE_DOCS=1");
}

#[test]
fn the_exit_codes_in_the_readme_are_those_of_the_help() {
    let readme = include_str!("../README.md");
    let help = Cli::command().render_long_help().to_string();
    let codes = help.split_once("Exit codes:\n").unwrap().1.split_once("\n\n").unwrap().0;
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        let row = format!("| {} | {} |", code.replace('+', " + "), meaning.trim());
        assert!(readme.contains(&row), "{row}");
    }
}

/// `MUSTER_WRITE_DOCS=1` writes it.
#[test]
fn the_keys_in_docs_config_are_those_of_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    let text = muster::config::keys_markdown();
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
        return;
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "write it with MUSTER_WRITE_DOCS=1");
}
