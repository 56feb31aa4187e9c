//! The table of machines, sorted.

use super::{desk::Desk, fixture};

/// The title of the column that the table is sorted by.
fn sorted_by(desk: &mut Desk) -> String {
    let text = desk.text(80, 24);
    let titles = text.lines().find(|line| line.contains("phase")).unwrap();
    let arrow = |word: &&str| word.ends_with(['↑', '↓']);
    titles.split_whitespace().find(arrow).unwrap_or("none in sight").to_owned()
}

#[test]
fn goes_through_the_columns_that_are_in_sight() {
    let mut desk = Desk::new(fixture::all_ready());
    desk.press("2");
    let mut seen = vec![sorted_by(&mut desk)];
    while seen.len() < 6 {
        desk.press("s");
        seen.push(sorted_by(&mut desk));
    }
    assert_eq!(seen, ["node↑", "phase↑", "instance↑", "public↑", "age↑", "node↑"]);
    desk.press("S");
    assert_eq!(sorted_by(&mut desk), "node↓");
}
