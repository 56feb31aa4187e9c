//! Which row is selected and which rows are in sight. The selection holds on
//! to the row's key, so that it stays on the same thing when rows come, go or
//! change places.

use std::ops::Range;

use crate::tui::action::Motion;

/// A selected row and the rows in sight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    key: Option<String>,
    index: usize,
    offset: usize,
    page: usize,
}

impl Selection {
    /// Where the selected row is among `keys` now; none where there is no row.
    /// If the row no longer exists, the one in its place is selected.
    pub fn settle<K: AsRef<str>>(&mut self, keys: &[K]) -> Option<usize> {
        let last = keys.len().checked_sub(1)?;
        let is = |index: usize, key: &str| keys.get(index).is_some_and(|k| k.as_ref() == key);
        match &self.key {
            Some(key) if is(self.index, key) => {}
            Some(key) => {
                let found = keys.iter().position(|other| other.as_ref() == key);
                self.index = found.unwrap_or(self.index.min(last));
            }
            None => self.index = self.index.min(last),
        }
        Some(self.index)
    }

    /// Moves among `keys`; left and right mean nothing here.
    pub fn go<K: AsRef<str>>(&mut self, motion: Motion, keys: &[K]) {
        let Some(index) = self.settle(keys) else { return };
        let index = motion.within(index, keys.len() - 1, self.page);
        self.index = index;
        self.key = Some(keys[index].as_ref().to_owned());
    }

    /// Selects the row with this key, now or once it comes.
    pub fn select(&mut self, key: impl Into<String>) {
        self.key = Some(key.into());
    }

    /// The rows in sight where `height` fit and `selected` is one of `len`.
    pub fn window(&mut self, selected: Option<usize>, len: usize, height: usize) -> Range<usize> {
        self.page = height;
        let selected = selected.unwrap_or(0);
        if selected < self.offset {
            self.offset = selected;
        } else if selected >= self.offset + height {
            self.offset = selected + 1 - height.min(selected + 1);
        }
        self.offset = self.offset.min(len.saturating_sub(height));
        self.offset..len.min(self.offset + height)
    }
}

/// How far a text is scrolled, within what the last drawing saw of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    offset: usize,
    page: usize,
    len: usize,
}

impl Scroll {
    /// Moves.
    pub fn go(&mut self, motion: Motion) {
        let last = self.len.saturating_sub(self.page);
        self.offset = motion.within(self.offset, last, self.page);
    }

    /// Whether there is more than the last drawing showed.
    pub fn can_go(&self) -> bool {
        self.len > self.page
    }

    /// The lines in sight of `len`, where `height` fit.
    pub fn window(&mut self, len: usize, height: usize) -> Range<usize> {
        (self.page, self.len) = (height, len);
        self.offset = self.offset.min(len.saturating_sub(height));
        self.offset..len.min(self.offset + height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_on_its_row_when_rows_change() {
        let mut selection = Selection::default();
        selection.go(Motion::Down, &["a", "b", "c"]);
        assert_eq!(selection.settle(&["x", "a", "b"]), Some(2));
        assert_eq!(selection.settle(&["x", "a"]), Some(1));
        assert_eq!(selection.settle::<&str>(&[]), None);
        assert_eq!(selection.settle(&["a", "c", "b"]), Some(2));
    }

    #[test]
    fn the_selected_row_is_always_in_sight() {
        let keys: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let mut selection = Selection::default();
        let motions = [
            Motion::Bottom,
            Motion::PageUp,
            Motion::Up,
            Motion::Top,
            Motion::PageDown,
            Motion::Down,
        ];
        for height in [1, 2, 7, 200] {
            for motion in motions {
                selection.go(motion, &keys);
                let selected = selection.settle(&keys);
                let window = selection.window(selected, keys.len(), height);
                assert!(window.contains(&selected.unwrap_or_default()), "{motion:?} {height}");
            }
        }
    }
}
