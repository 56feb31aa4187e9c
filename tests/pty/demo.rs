//! The demo from its first frame to its last.

use super::{demo, launch};
use crate::support::{muster::Muster, terminal::Terminal};

#[test]
fn opens_on_the_mistakes_and_quits_at_once() {
    let muster = Muster::new();
    let mut terminal = Terminal::start(&muster, &["demo"], 80, 24);
    terminal.sees("SIMULATED");
    terminal.sees("key pair quokka is missing");
    terminal.sees("peering is pending acceptance");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
    assert!(muster.left_behind(&[]).is_empty());
}

#[test]
fn through_the_screens_to_a_running_cluster() {
    let muster = Muster::new();
    let mut terminal = demo(&muster, 120, 40);
    for (key, title) in [("2", "Instances"), ("3", "Preflight"), ("4", "Bootstrap"), ("5", "Logs")]
    {
        terminal.keys(key);
        terminal.sees(&format!("{key} [{title}]"));
        terminal.sees("SIMULATED");
    }
    launch(&mut terminal);
    terminal.sees("Reading package lists...");
    terminal.sees("the cluster is ready: 9 of 9 nodes");
    terminal.keys("q");
    terminal.sees("Quit muster?");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn after_termination_the_next_cluster() {
    let muster = Muster::new();
    let mut terminal = demo(&muster, 80, 24);
    launch(&mut terminal);
    terminal.sees("the cluster is ready: 9 of 9 nodes");
    terminal.keys("D");
    terminal.sees("Type terminate to terminate 9 instances");
    terminal.keys("terminate\r");
    terminal.sees("all instances of the cluster are terminated");
    terminal.keys("u");
    terminal.sees("9 machines");
    terminal.sees("L launches");
    terminal.keys("L");
    terminal.sees("the cluster is ready: 9 of 9 nodes");
    terminal.keys("qq");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_signal_in_the_middle_of_a_launch() {
    let muster = Muster::new();
    let mut terminal = demo(&muster, 80, 24);
    launch(&mut terminal);
    terminal.keys("5");
    terminal.sees("Reading package lists...");
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 128 + 15);
    terminal.assert_restored();
}
