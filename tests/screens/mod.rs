//! Every screen and every dialog as it is drawn, at the smallest size and at a
//! wide one, and what keys lead to.

#![expect(clippy::unwrap_used, reason = "a test that can't build its fixture has failed")]

mod as_of;
mod config;
mod connect;
mod desk;
mod dialogs;
mod fixing;
mod fixture;
mod glass;
mod host_keys;
mod hostile;
mod keys;
mod live;
mod looks;
mod power;
mod readiness;
mod reload;
mod several;
mod small;
mod sorting;
mod verify;
mod waits;

use desk::Desk;

/// The sizes that every screen is looked at in.
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

/// Compares what is drawn with the kept pictures, one of each size.
fn pictures(name: &str, desk: &mut Desk) {
    for (width, height) in SIZES {
        let text = desk.text(width, height);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
        });
    }
}
