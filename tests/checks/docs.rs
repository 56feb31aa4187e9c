//! `docs/checks.md` is generated from the table of checks.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use muster::check;

/// Renders the page from the table. `MUSTER_WRITE_DOCS=1` writes it.
fn page() -> String {
    let mut page = String::from(
        "# Checks\n\n\
         What `muster check` and the Preflight screen check, in the order they show it. This page\n\
         is made from the table in `src/check/table.rs`; `MUSTER_WRITE_DOCS=1 cargo nextest run docs`\n\
         writes it.\n\n\
         The result of every check is ✓ passed, ! works but you should know, ✗ a launch or the\n\
         cluster would fail, ? could not be checked, or - skipped until something else is fixed.\n\
         What could not be read is not counted as passed.\n",
    );
    let mut group = "";
    for info in check::all() {
        if info.group != group {
            group = info.group;
            write!(page, "\n## {group}\n").unwrap();
        }
        write!(page, "\n### `{}`\n\n{}\n\n{}\n", info.id, info.about, info.explain).unwrap();
    }
    page
}

#[test]
fn the_page_matches_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks.md");
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page(), "write it with MUSTER_WRITE_DOCS=1");
}

#[test]
fn ids_are_unique_and_groups_stand_together() {
    let ids: BTreeSet<_> = check::all().iter().map(|info| info.id).collect();
    assert_eq!(ids.len(), check::all().len());
    let mut groups: Vec<_> = check::all().iter().map(|info| info.group).collect();
    groups.dedup();
    assert_eq!(groups.len(), groups.iter().collect::<BTreeSet<_>>().len(), "{groups:?}");
    assert!(ids.iter().all(|id| check::info(id).is_some()));
    assert!(check::info("no.such").is_none());
}

#[test]
fn the_ids_that_scripts_rely_on_stay() {
    let ids: Vec<_> = check::all().iter().map(|info| info.id).collect();
    for id in [
        "ami.exists",
        "ami.architecture",
        "key.exists",
        "key.same-material",
        "key.local",
        "sg.exists",
        "sg.same-vpc",
        "sg.operator-ssh",
        "sg.peers",
        "subnet.exists",
        "vpc.cidr-overlap",
        "vpc.default",
        "peering.active",
        "route.peering",
        "type.offered",
        "iam.launch",
        "cluster.name-taken",
    ] {
        assert!(ids.contains(&id), "{id}");
    }
}

/// The part of docs/quokka.md that lists the ports.
#[test]
fn the_ports_of_the_page_on_quokka_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/quokka.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("src/config/ports.rs -->\n").unwrap();
    let (table, after) = rest.split_once("<!-- /ports -->").unwrap();
    let wanted = muster::config::ports::markdown();
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        let page = format!("{before}src/config/ports.rs -->\n{wanted}<!-- /ports -->{after}");
        fs::write(&path, page).unwrap();
        return;
    }
    assert_eq!(table, wanted, "write it with MUSTER_WRITE_DOCS=1");
}
