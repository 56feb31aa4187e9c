//! Snapshots of every screen and dialog, at the smallest size and at a wide one, and
//! the effects of keys.

#![expect(clippy::unwrap_used, reason = "a test that can't build its fixture has failed")]

mod as_of;
mod config;
mod connect;
mod dialogs;
mod fixing;
mod fixture;
mod host_keys;
mod hostile;
mod keys;
mod lifecycle;
mod live;
mod looks;
mod readiness;
mod reload;
mod several;
mod small;
mod sorting;
mod test_dashboard;
mod test_terminal;
mod verify;
mod waits;

use test_dashboard::TestDashboard;

/// The sizes of all snapshots.
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

/// Compares the drawn frames with the snapshots of each size.
fn pictures(name: &str, board: &mut TestDashboard) {
    for (width, height) in SIZES {
        let text = board.text(width, height);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
        });
    }
}
