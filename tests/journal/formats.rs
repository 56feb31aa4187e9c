//! A real journal of every kind in every format: read without loss, replayed to the
//! same state, and appended to.

use std::path::{Path, PathBuf};

use muster::{
    engine::{ClusterPhase, RunState, Stamped},
    journal::{FORMAT, JournalFile},
};

/// Name, phase of the cluster, nodes with a live instance.
const KINDS: &[(&str, ClusterPhase, usize)] = &[
    ("up", ClusterPhase::Ready, 6),
    ("down", ClusterPhase::Terminated, 0),
    ("power", ClusterPhase::Ready, 6),
    ("adopt", ClusterPhase::Ready, 6),
    ("fix", ClusterPhase::Planned, 0),
];

pub fn fixture(format: u32, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal");
    folder.join(format!("v{format}/{name}.jsonl"))
}

fn fold(records: &[Stamped]) -> RunState {
    let mut state = RunState::default();
    for record in records {
        state.apply(record);
    }
    state
}

#[test]
fn every_format_up_to_the_present_one_is_read_in_full() {
    for format in 1..=FORMAT {
        for (name, phase, live) in KINDS {
            let path = fixture(format, name);
            let contents = JournalFile::read(&path).unwrap();
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            let what = path.display();
            assert_eq!(contents.unreadable, [], "{what}");
            assert_eq!((contents.records.len(), contents.format), (lines, format), "{what}");
            let state = fold(&contents.records);
            assert_eq!(state.phase, *phase, "{what}");
            let nodes = state.nodes.values().filter(|node| node.is_live()).count();
            assert_eq!(nodes, *live, "{what}");
            assert_eq!(state.fix.is_some(), *name == "fix", "{what}");
        }
    }
}

/// An older journal continues in the current format; its lines stay unchanged.
#[test]
fn an_older_journal_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    for format in 1..FORMAT {
        for (name, ..) in KINDS {
            let path = folder.path().join(format!("{format}-{name}.jsonl"));
            let before = std::fs::read(fixture(format, name)).unwrap();
            std::fs::write(&path, &before).unwrap();
            let (mut journal, contents) = JournalFile::open(&path).unwrap();
            let mut record = contents.records[1].clone();
            let muster::engine::Event::RunStarted { format: of_record, .. } = &mut record.event
            else {
                panic!("{record:?}")
            };
            assert_eq!(std::mem::replace(of_record, FORMAT), format);
            journal.append(&record, true).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(&before));
            let after = JournalFile::read(&path).unwrap();
            assert_eq!(after.unreadable, []);
            assert_eq!((after.records.len(), after.format), (contents.records.len() + 1, FORMAT));
        }
    }
}

/// Records are written as in the fixtures of the current format, so that a change of
/// the format requires a new version.
#[test]
fn the_present_format_is_that_of_its_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ..) in KINDS {
        let path = folder.path().join(format!("{name}.jsonl"));
        let older = JournalFile::read(&fixture(1, name)).unwrap();
        let mut journal = JournalFile::create(&path).unwrap();
        for mut record in older.records {
            if let muster::engine::Event::RunStarted { format, .. } = &mut record.event {
                *format = FORMAT;
            }
            journal.append(&record, false).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap();
        let fixture = fixture(FORMAT, name);
        if std::env::var_os("MUSTER_WRITE_FIXTURES").is_some() {
            std::fs::create_dir_all(fixture.parent().unwrap()).unwrap();
            std::fs::write(&fixture, &written).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&fixture).unwrap(), written, "{name}");
    }
}
