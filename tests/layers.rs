//! Layers: ARCHITECTURE.md lists them, and no module imports from a layer above its own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const BEGIN: &str = "<!-- layers -->\n";
const END: &str = "<!-- /layers -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the layers of ARCHITECTURE.md from the bottom up, each with its modules.
fn layers() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let list = page.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;
    let layer = |line: &str| {
        let (_, rest) = line.split_once(". ")?;
        let names = rest.split_once(':').map_or(rest, |(names, _)| names);
        Some(names.split('`').skip(1).step_by(2).map(str::to_owned).collect())
    };
    list.lines().filter_map(layer).collect()
}

#[test]
fn no_module_imports_from_a_layer_above() {
    let layers = layers();
    let height: BTreeMap<&str, usize> = layers
        .iter()
        .enumerate()
        .flat_map(|(height, modules)| modules.iter().map(move |name| (&**name, height)))
        .collect();
    let mut wrong = BTreeSet::new();
    for file in sources(&root().join("src")) {
        let name = file.strip_prefix(root().join("src")).unwrap();
        let module = name.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "main" | "lib") {
            continue;
        }
        let own = *height.get(module).unwrap_or_else(|| unreachable!("{module} is in no layer"));
        for other in imports(&fs::read_to_string(&file).unwrap()) {
            let Some(theirs) = height.get(&*other) else { continue };
            if other != module && *theirs >= own {
                wrong.insert(format!("src/{} imports {other}", name.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these imports go upwards: {wrong:#?}");
}

/// `MUSTER_WRITE_DOCS=1` writes it.
#[test]
fn the_picture_of_the_layers_is_that_of_the_list() {
    let path = root().join("docs/layers.svg");
    let picture = picture(&layers());
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        fs::write(&path, picture).unwrap();
        return;
    }
    assert_eq!(fs::read_to_string(path).unwrap(), picture, "write it with MUSTER_WRITE_DOCS=1");
}

#[test]
fn imports_of_every_form_are_found() {
    let text = "use crate::{\n  cloud::{Change, ec2::{A, B}},\n  model::Failure, waits };\n\
                fn f() { crate::sim::world(); } // crate::tui\n\
                pub(in crate::engine) struct S; #[cfg(test)]\nmod tests { use crate::app; }";
    let found: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(found, ["cloud", "engine", "model", "sim", "waits"]);
}

/// Returns the top-level modules that `text` names behind `crate::`, unit tests left out.
fn imports(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect();
    let mut found = BTreeSet::new();
    for part in code.split("crate").skip(1) {
        let Some(path) = part.strip_prefix("::") else { continue };
        match path.strip_prefix('{') {
            Some(group) => found.extend(names(group)),
            None => found.extend(word(path)),
        }
    }
    found
}

/// Returns the first name of each entry of a `use` group.
fn names(group: &str) -> Vec<String> {
    let (mut depth, mut entries) = (0, vec![String::new()]);
    for symbol in group.chars() {
        match symbol {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            _ => {}
        }
        if symbol != ',' || depth > 0 {
            entries.last_mut().unwrap().push(symbol);
        }
    }
    entries.iter().filter_map(|entry| word(entry.trim())).collect()
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    word.starts_with(char::is_lowercase).then_some(word)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// Draws the layers, the highest on top.
fn picture(layers: &[Vec<String>]) -> String {
    const WIDTH: usize = 640;
    const ROW: usize = 44;
    const GAP: usize = 8;
    let height = layers.len() * (ROW + GAP) + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"15\" text-anchor=\"middle\">\n"
    );
    for (row, modules) in layers.iter().rev().enumerate() {
        let y = GAP + row * (ROW + GAP);
        let each = (WIDTH - GAP) / modules.len();
        for (column, module) in modules.iter().enumerate() {
            let x = GAP + column * each;
            let width = each - GAP;
            writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\" rx=\"6\" \
                 fill=\"#eef2f7\" stroke=\"#64748b\"/>\n\
                 <text x=\"{}\" y=\"{}\" fill=\"#0f172a\">{module}</text>",
                x + width / 2,
                y + ROW / 2 + 5
            )
            .unwrap();
        }
    }
    svg + "</svg>\n"
}
