//! A panic restores the terminal and reports what may still be running.

use super::{demo, launch};
use crate::support::muster::Muster;

#[test]
fn of_the_dashboard() {
    let muster = Muster::new().env("MUSTER_TEST_PANIC", "ui");
    let terminal = demo(&muster, 80, 24);
    terminal.signal("USR1");
    assert_eq!(terminal.exit_code(), 101);
    terminal.assert_restored();
    terminal.sees("muster failed");
    terminal.sees("injected on the dashboard");
    terminal.sees("`muster down`");
}

#[test]
fn of_a_task_fails_its_node_and_nothing_else() {
    let muster = Muster::new().env("MUSTER_TEST_PANIC", "task");
    let mut terminal = demo(&muster, 120, 40);
    launch(&mut terminal);
    terminal.sees("9 failed");
    terminal.keys("q");
    terminal.sees("Quit muster?");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
    terminal.sees("injected in the task of");
}
