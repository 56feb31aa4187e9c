//! What the screens show of instances holds as of the last time that EC2 listed
//! them; what could not be read since is marked.

use muster::{
    engine::{Event, Update},
    model::Failure,
};

use super::{fixture, test_dashboard::TestDashboard};

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

fn read(board: &mut TestDashboard, region: &str, second: i64) {
    let at = fixture::at(second);
    board.model.fold(Update::InstancesRead { region: region.into(), at });
}

/// Every node ready, every region read at second `second`.
fn ready(second: i64) -> TestDashboard {
    let mut board = TestDashboard::new(fixture::all_ready());
    for region in fixture::REGIONS {
        read(&mut board, region, second);
    }
    board
}

fn shows(board: &mut TestDashboard, key: &str, parts: &[&str]) {
    board.press(key);
    for (width, height) in SIZES {
        let text = board.text(width, height);
        for part in parts {
            assert!(text.contains(part), "{key} at {width}x{height} lacks {part:?}:\n{text}");
        }
    }
}

fn lacks(board: &mut TestDashboard, key: &str, part: &str) {
    board.press(key);
    for (width, height) in SIZES {
        let text = board.text(width, height);
        assert!(!text.contains(part), "{key} at {width}x{height} has {part:?}:\n{text}");
    }
}

#[test]
fn one_time_stands_for_regions_that_were_read_together() {
    let mut board = ready(118);
    read(&mut board, "eu-west-1", 116);
    shows(&mut board, "1", &["✓ ready as of 14:04:07"]);
    shows(&mut board, "8", &["✓ ready as of 14:04:07"]);
    shows(&mut board, "2", &["Instances 9 as of 14:04:07", "running as of 14:04:09"]);
    lacks(&mut board, "1", "as of 14:04:09");
}

#[test]
fn before_the_first_reading_it_is_the_time_of_the_last_record() {
    let mut board = TestDashboard::new(fixture::all_ready());
    shows(&mut board, "1", &["✓ ready as of 14:03:39"]);
}

#[test]
fn regions_that_were_read_earlier_are_named() {
    let mut board = ready(118);
    read(&mut board, "eu-west-1", 90);
    shows(&mut board, "1", &["✓ ready as of 14:03:41", "as of 14:04:09, euw1 14:03:41"]);
}

#[test]
fn a_region_that_can_not_be_read_is_stale_until_it_is_read() {
    let mut board = ready(90);
    read(&mut board, "us-west-2", 118);
    read(&mut board, "ap-southeast-2", 118);
    let failure = Failure::new("eu-west-1: DescribeInstances: the connection was refused");
    board.model.fold(Update::InstancesNotRead { region: "eu-west-1".into(), failure });
    shows(&mut board, "1", &["? ready as of 14:03:41 !", "as of 14:04:09, euw1 14:03:41 !"]);
    shows(&mut board, "8", &["? ready as of 14:03:41 !"]);
    lacks(&mut board, "1", "✓ ready");
    shows(&mut board, "2 / 'eu-west' enter", &["running as of 14:03:41 !"]);
    let text = board.text(160, 48);
    assert!(text.contains("! not read since: eu-west-1"), "{text}");
    board.press("esc");
    read(&mut board, "eu-west-1", 119);
    shows(&mut board, "1", &["✓ ready as of 14:04:09"]);
    lacks(&mut board, "1", "euw1 14:0");
}

#[test]
fn what_was_not_read_for_long_is_stale_without_any_failure() {
    let mut board = ready(118);
    board.model.clock = fixture::stopped(118 + 5 * 60);
    shows(&mut board, "1", &["✓ ready as of 14:04:09"]);
    board.model.clock = fixture::stopped(118 + 7 * 60);
    shows(&mut board, "1", &["? ready as of 14:04:09 !"]);
}

#[test]
fn no_time_stands_where_no_instance_is_left() {
    let mut board = ready(118);
    for info in board.model.state.clone().instances() {
        let changed = Event::InstanceChanged {
            instance: info.id.clone(),
            region: info.region.clone(),
            state: muster::cloud::InstanceState::Terminated,
            reason: None,
            private_ip: None,
            public_ip: None,
        };
        fixture::event(&mut board.model, 119, changed);
    }
    fixture::event(&mut board.model, 120, Event::ClusterGone);
    lacks(&mut board, "1", "as of");
}
