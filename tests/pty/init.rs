//! `muster init` prompts in a terminal, and Ctrl-C leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use crate::support::{muster::Muster, terminal::Terminal};

const INIT: &[&str] = &["init", "--scenario", "healthy"];

#[test]
fn init_prompts_and_validates_at_once() {
    let muster = Muster::new();
    let mut terminal = Terminal::start(&muster, INIT, 100, 40);
    terminal.sees("Regions, with commas, the leader's first [us-west-2,eu-west-1]:");
    terminal.keys("us-west-2, ap-southaest-2\n");
    terminal.sees("there is no region `ap-southaest-2`: did you mean ap-southeast-2?");
    terminal.keys("us-west-2, ap-southeast-2\n");
    terminal.sees("Instance type of all nodes [m5.2xlarge]:");
    terminal.keys("\n");
    terminal.sees("Workers in each region, beside its head [2]:");
    terminal.keys("lots\n");
    terminal.sees("`lots` is no number from 0 to 1000");
    terminal.keys("1\n");
    terminal.sees("Name of the project [quokka]:");
    terminal.keys("tpch\n");
    terminal.sees("EC2 key pair of all nodes [quokka]:");
    terminal.keys("tpch\n");
    terminal.sees("Its private key's file [~/.ssh/tpch.pem]:");
    terminal.keys("\n");
    terminal.sees("Write this? [y/N]");
    terminal.keys("y\n");
    terminal.sees("Written: us.yaml, ap.yaml, muster.yaml.");
    assert_eq!(terminal.exit_code(), 0);
    let ap = std::fs::read_to_string(muster.folder().join("ap.yaml")).unwrap();
    assert!(ap.contains("min_workers: 1\n") && ap.contains("KeyName: tpch\n"), "{ap}");
}

#[test]
fn ctrl_c_and_the_end_of_the_input_leave_nothing() {
    for keys in ["\x03", "\x04"] {
        let muster = Muster::new();
        let mut terminal = Terminal::start(&muster, INIT, 100, 40);
        terminal.keys("\n");
        terminal.sees("Instance type of all nodes");
        terminal.keys(keys);
        assert_ne!(terminal.exit_code(), 0);
        assert!(std::fs::read_dir(muster.folder()).unwrap().next().is_none());
        terminal.assert_restored();
    }
}
