//! Sorting of the instance table.

use super::{fixture, test_dashboard::TestDashboard};

/// Returns the title of the column that the table is sorted by.
fn sorted_by(board: &mut TestDashboard) -> String {
    let text = board.text(80, 24);
    let titles = text.lines().find(|line| line.contains("phase")).unwrap();
    let arrow = |word: &&str| word.ends_with(['↑', '↓']);
    titles.split_whitespace().find(arrow).unwrap_or("none in sight").to_owned()
}

#[test]
fn goes_through_the_columns_that_are_in_sight() {
    let mut board = TestDashboard::new(fixture::all_ready());
    board.press("2");
    let mut seen = vec![sorted_by(&mut board)];
    while seen.len() < 6 {
        board.press("s");
        seen.push(sorted_by(&mut board));
    }
    assert_eq!(seen, ["node↑", "phase↑", "instance↑", "public↑", "age↑", "node↑"]);
    board.press("S");
    assert_eq!(sorted_by(&mut board), "node↓");
}
