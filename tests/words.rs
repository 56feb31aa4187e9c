//! The words that docs/glossary.md rules out are not used again.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const EXCEPTIONS: &str = include_str!("words/exceptions.txt");

#[test]
fn words_that_the_glossary_rules_out_are_not_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = ruled_out();
    let exceptions = exceptions();
    let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
    for file in files(root) {
        // Fonts, archives and other binary files have no words.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let name = file.strip_prefix(root).unwrap().to_str().unwrap();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            let Some(word) = find(line, &words) else { continue };
            if exceptions.contains(&(name, line)) {
                used.insert((name.to_owned(), line.to_owned()));
            } else {
                wrong.push(format!("{name}:{number}: \"{word}\" in: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "rewrite these lines (docs/glossary.md):\n{}", wrong.join("\n"));
    assert_eq!(used.len(), exceptions.len(), "an exception is not needed any more: {used:#?}");
}

/// Returns the words of the last section of the glossary.
fn ruled_out() -> BTreeSet<&'static str> {
    let glossary = include_str!("../docs/glossary.md");
    let list = glossary.rsplit_once("\n\n").unwrap().1;
    let words: BTreeSet<_> = list.split('`').skip(1).step_by(2).collect();
    assert!(words.contains("hither") && words.len() > 20, "{words:?}");
    words
}

fn exceptions() -> BTreeSet<(&'static str, &'static str)> {
    let lines = EXCEPTIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (file, rest) = line.split_once(" | ").unwrap();
            let (text, reason) = rest.rsplit_once(" | ").unwrap();
            assert!(!reason.is_empty(), "{line}");
            (file, text)
        })
        .collect()
}

/// Returns all files that people read or that make what they read, but for the glossary.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    found.push(root.join("ARCHITECTURE.md"));
    let mut folders = vec![root.join("src"), root.join("docs"), root.join("assets")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.retain(|file| !file.ends_with("docs/glossary.md"));
    found
}

/// Returns the first of `words` in `line`; a word of an identifier counts.
fn find<'l>(line: &'l str, words: &BTreeSet<&str>) -> Option<&'l str> {
    line.split(|symbol: char| !symbol.is_alphabetic())
        .find(|word| words.contains(word.to_lowercase().as_str()))
}
