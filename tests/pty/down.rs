//! The questions of `down`: each names what it is about, and only a yes to it
//! terminates or deletes that.

use crate::support::{
    muster::{Muster, UNRECORDED},
    terminal::Terminal,
};

const QUESTION: &str = "Terminate also the 1 instance on no record? [y/N]";

fn down(muster: &Muster, args: &[&str]) -> Terminal {
    muster.file("unrecorded.toml", UNRECORDED);
    let all = [&["down", "--scenario", "unrecorded.toml"], args].concat();
    Terminal::start(muster, &all, 140, 48)
}

#[test]
fn what_is_on_no_record_has_a_question_of_its_own() {
    let muster = Muster::new();
    for (answer, shown, code) in
        [("n\n", "not confirmed; nothing was terminated", 1), ("\n", "not confirmed", 1)]
    {
        let mut terminal = down(&muster, &[]);
        terminal.sees(QUESTION);
        terminal.keys(answer);
        terminal.sees(shown);
        assert_eq!(terminal.exit_code(), code);
    }
    let mut terminal = down(&muster, &[]);
    terminal.sees(QUESTION);
    terminal.keys("y\n");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn networks_are_taken_over_and_removed_after_a_question_each() {
    let muster = Muster::new();
    let mut terminal = down(&muster, &["--network"]);
    terminal.sees(QUESTION);
    terminal.keys("y\n");
    terminal.sees("that no journal of this project knows");
    terminal.keys("y\n");
    terminal.sees("Remove these networks? [y/N]");
    terminal.keys("n\n");
    assert_eq!(terminal.exit_code(), 1);

    let mut terminal = down(&muster, &["--network"]);
    terminal.sees(QUESTION);
    terminal.keys("y\n");
    terminal.sees("that no journal of this project knows");
    terminal.keys("n\n");
    terminal.sees("muster built no network");
    assert_eq!(terminal.exit_code(), 0);
}
