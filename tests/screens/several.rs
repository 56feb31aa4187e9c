//! Two configs of one region on the screens.

use super::{fixture, test_dashboard::TestDashboard};

fn lines(board: &mut TestDashboard) -> Vec<String> {
    board.text(160, 48).lines().map(str::to_owned).collect()
}

#[test]
fn a_region_names_both_of_its_files() {
    let mut board = TestDashboard::new(fixture::with_gpus(4));
    let all = lines(&mut board);
    let rows: Vec<_> = all.iter().filter(|line| line.contains("★ us-west-2")).collect();
    assert!(rows.iter().any(|row| row.contains("us.yaml gpu.yaml")), "{all:#?}");
    assert!(rows.iter().any(|row| row.contains("0/6")), "the nodes of both: {all:#?}");
}

#[test]
fn instances_are_listed_by_config() {
    let mut board = TestDashboard::new(fixture::with_gpus(4));
    board.press("2");
    let all = lines(&mut board);
    let is_node = |word: &&str| word.starts_with("us-west-2/");
    let names = all.iter().filter_map(|line| line.split_whitespace().find(is_node));
    let mut names: Vec<_> = names.collect();
    // The selected one is also shown next to the table.
    names.dedup();
    let expected = ["head", "worker-1", "worker-2", "gpu-head", "gpu-worker-1", "gpu-worker-2"];
    let expected = expected.map(|name| format!("us-west-2/{name}"));
    assert_eq!(names, expected);
}

#[test]
fn a_file_shows_which_config_of_the_region_it_is() {
    let mut board = TestDashboard::new(fixture::with_gpus(4));
    board.press("6 right");
    let text = board.text(160, 48);
    assert!(text.contains("us-west-2 tpch-us"), "{text}");
    board.press("right");
    let text = board.text(160, 48);
    assert!(text.contains("eu-west-1") && !text.contains("eu-west-1 tpch"), "{text}");
    board.press("right right");
    let text = board.text(160, 48);
    assert!(text.contains("us-west-2 gpu"), "{text}");
}
