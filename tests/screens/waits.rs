//! What is waited for shows after five seconds, in the line above the keys, and
//! shifts nothing; a lost connection shows on its node's row.

use std::time::Duration;

use muster::{
    engine::Event,
    model::{Failure, NodeName, Region},
    waits::Waiting,
};

use super::{fixture, test_dashboard::TestDashboard};

/// The line above the keys.
fn status(board: &mut TestDashboard, width: u16, height: u16) -> String {
    board.text(width, height).lines().nth(usize::from(height) - 2).unwrap().to_owned()
}

/// Everything but that line.
fn rest(board: &mut TestDashboard, width: u16, height: u16) -> Vec<String> {
    let text = board.text(width, height);
    let line = usize::from(height) - 2;
    let lines = text.lines().enumerate().filter(|(index, _)| *index != line);
    lines.map(|(_, text)| text.to_owned()).collect()
}

fn ssh(board: &TestDashboard) -> Waiting {
    let node = NodeName::new("eu-west-1/worker-1");
    let wait = board.model.waits.connection(&node, "SSH connection to 203.0.113.12");
    wait.detail("connect to host 203.0.113.12 port 22: Connection refused");
    wait
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_five_seconds_shows_in_its_place_and_shifts_nothing() {
    let mut board = TestDashboard::new(fixture::launching());
    board.model.busy.clear();
    board.model.notices.clear();
    let screens = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let before: Vec<_> = screens
        .map(|key| {
            board.press(key);
            rest(&mut board, 80, 24)
        })
        .into();
    let call = board.model.waits.answer(&Region::new("us-west-2"), "DescribeInstances");
    let ssh = ssh(&board);
    tokio::time::sleep(Duration::from_secs(4)).await;
    ssh.next_in(Duration::from_secs(3));
    assert_eq!(status(&mut board, 80, 24), "");
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (key, before) in screens.iter().zip(before) {
        board.press(key);
        let line = " ▶ us-west-2: no answer from DescribeInstances for 6 s (and 1 more wait)";
        assert_eq!(status(&mut board, 80, 24), line, "{key}");
        assert_eq!(rest(&mut board, 80, 24), before, "{key}");
    }
    drop(call);
    // What is tried next matters more than the last error.
    let short = " ▶ eu-west-1/worker-1: no SSH connection to 203.0.113.12 for 6 s; next try in 1 s";
    assert_eq!(status(&mut board, 90, 24), short);
    let line = status(&mut board, 160, 48);
    assert!(line.contains("Connection refused); next try in 1 s"), "{line}");
    drop(ssh);
    assert_eq!(status(&mut board, 80, 24), "", "what ended is waited for no more");
}

#[tokio::test(start_paused = true)]
async fn a_message_gives_way_to_what_is_waited_for() {
    let mut board = TestDashboard::new(fixture::all_ready());
    let call = board.model.waits.answer(&Region::new("us-west-2"), "DescribeInstances");
    tokio::time::sleep(Duration::from_secs(20)).await;
    board.press("u");
    assert!(status(&mut board, 80, 24).contains("every node is ready"), "the key comes first");
    board.model.clock = fixture::stopped(120 + 13);
    assert!(status(&mut board, 80, 24).contains("no answer from DescribeInstances"));
    // Without any wait, it stays until the next key.
    drop(call);
    assert!(status(&mut board, 80, 24).contains("every node is ready"));
}

#[test]
fn a_lost_connection_shows_on_the_row_of_its_node_until_it_is_made_again() {
    let mut board = TestDashboard::new(fixture::launching());
    let node = NodeName::new("us-west-2/worker-1");
    let failure = Failure::new("Connection to 203.0.113.11 closed by remote host");
    fixture::event(&mut board.model, 70, Event::ConnectionLost { node: node.clone(), failure });
    assert!(status(&mut board, 120, 24).contains("us-west-2/worker-1: connection lost"));
    let row = |board: &mut TestDashboard, key: &str, name: &str| {
        board.press(key);
        let text = board.text(120, 36);
        let row = text.lines().find(|line| line.contains(name) && line.contains('!'));
        row.map(str::to_owned)
    };
    for (key, name, part) in [
        ("1", "us-west-2/worker-1", "spill 33s, connection lost for 20s"),
        ("2", "us-west-2/worker-1", "! ssh lost"),
        ("4", "us-west-2/worker-1", "!20s"),
    ] {
        let row = row(&mut board, key, name).unwrap_or_default();
        assert!(row.contains(part), "{key}: {row:?}");
    }
    board.press("2 / 'worker-1' enter");
    assert!(board.text(120, 36).contains("! lost for 20s; the step goes on"));
    board.press("esc");
    let restored = Event::ConnectionRestored { node, after_s: 25 };
    fixture::event(&mut board.model, 95, restored);
    assert!(status(&mut board, 120, 24).contains("us-west-2/worker-1: connected again after 25 s"));
    for key in ["1", "2", "4"] {
        assert_eq!(row(&mut board, key, "us-west-2/worker-1"), None, "{key}");
    }
}
