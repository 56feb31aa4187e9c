//! The editor on a real terminal: it gets the terminal in its original state, and
//! muster gets it back afterwards, however the editor ended.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use crate::support::{muster::Muster, terminal::Terminal};

/// The start of the editor script: it records its arguments and the terminal's modes.
const BEGIN: &str = "printf '%s\\n' \"$@\" > called\nstty -a > modes\necho the editor is open\n";
/// Waits until the test creates the file `go`.
const WAIT: &str = "while [ ! -e go ]; do sleep 0.05; done\n";

/// Returns a project with an editor that does `then`, and without AWS.
fn muster(then: &str) -> Muster {
    let muster = Muster::new();
    muster.file("us.yaml", include_str!("../../assets/demo/us.yaml"));
    let editor = muster.file("vi", format!("#!/bin/sh\n{BEGIN}{then}"));
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    muster
        .env("EDITOR", editor.to_string_lossy())
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", format!("http://{closed}"))
}

/// Opens the Config screen of that project.
fn open(muster: &Muster) -> Terminal {
    let mut terminal = Terminal::start(muster, &["us.yaml"], 120, 40);
    terminal.sees("AWS could not be asked");
    terminal.assert_taken();
    terminal.keys("6jj");
    terminal.sees("6 [Config]");
    terminal
}

fn read(muster: &Muster, name: &str) -> String {
    fs::read_to_string(muster.folder().join(name)).unwrap()
}

fn let_go_on(muster: &Muster) {
    muster.file("go", "");
}

fn leave(terminal: &mut Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn edits_are_loaded_and_the_editor_gets_the_original_terminal_modes() {
    let muster = muster(&format!("{WAIT}sed -i 's/cluster_name: .*/cluster_name: edited/' \"$2\""));
    let before = read(&muster, "us.yaml");
    assert!(before.contains("cluster_name: tpch-demo"));
    fs::write(muster.folder().join("muster.yaml"), "name: tpch\nregions: [us.yaml]\n").unwrap();
    let mut terminal = Terminal::start(&muster, &["muster.yaml"], 120, 40);
    terminal.sees("AWS could not be asked");
    terminal.assert_taken();
    terminal.keys("6ljj");
    terminal.sees("us.yaml · us-west-2");
    terminal.keys("e");
    terminal.sees("the editor is open");
    terminal.assert_restored();
    let_go_on(&muster);
    terminal.sees("cluster_name: edited");
    terminal.sees("6 [Config]");
    // The whole screen is redrawn, not only the changes.
    terminal.sees("muster · tpch");
    terminal.sees("╭ Files");
    terminal.assert_taken();
    assert_eq!(read(&muster, "called"), "+3\nus.yaml\n");
    let modes = read(&muster, "modes");
    assert!(modes.contains(" icanon") && modes.contains(" echo "), "{modes}");
    // muster reads the keys again, each once.
    terminal.keys("1");
    terminal.sees("1 [Overview]");
    leave(&mut terminal);
}

#[test]
fn a_mistake_made_in_the_editor_is_shown_at_its_line() {
    let muster = muster("sed -i 's/^provider:/provder:/' \"$2\"");
    let mut terminal = open(&muster);
    terminal.keys("e");
    terminal.sees("Not taken over");
    terminal.sees("`provider` is missing");
    // The previously loaded project is unchanged.
    terminal.keys("1");
    terminal.sees("us-west-2");
    leave(&mut terminal);
}

#[test]
fn killed_in_the_middle_it_leaves_nothing_behind() {
    let muster = muster("stty raw -echo\nprintf '\\033[?1049h\\033[?25l\\033[?1h'\nkill -9 $$\n");
    let mut terminal = open(&muster);
    terminal.keys("e");
    terminal.sees("ended with signal: 9");
    terminal.assert_taken();
    leave(&mut terminal);
}

#[test]
fn a_missing_editor_is_reported() {
    let muster = muster("").env("VISUAL", "/nonexistent/vim");
    let mut terminal = open(&muster);
    terminal.keys("e");
    terminal.sees("/nonexistent/vim can't be run");
    terminal.assert_taken();
    leave(&mut terminal);
}

#[test]
fn a_signal_ends_it_and_muster() {
    let muster =
        muster("trap 'echo terminated > ended; exit 1' TERM\nwhile :; do sleep 0.05; done\n");
    let mut terminal = open(&muster);
    terminal.keys("e");
    terminal.sees("the editor is open");
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 128 + 15);
    terminal.assert_restored();
    assert_eq!(read(&muster, "ended"), "terminated\n");
}

#[test]
fn a_file_that_changes_outside_is_noticed_and_loaded_by_a_key() {
    let muster = muster("");
    let mut terminal = open(&muster);
    let changed = read(&muster, "us.yaml").replace("m5.2xlarge", "m5.4xlarge");
    fs::write(Path::new(&muster.folder()).join("us.yaml"), changed).unwrap();
    terminal.sees("us.yaml changed on disk: R loads");
    terminal.keys("R");
    terminal.sees("InstanceType: m5.4xlarge");
    terminal.lacks("changed on disk");
    leave(&mut terminal);
}
