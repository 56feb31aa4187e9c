//! The message of a panic. None should reach a user; one that does must not let
//! them forget what may be running. The dashboard gives the terminal back
//! before it comes to this, and keeps what tasks say to itself until then.

use std::panic::PanicHookInfo;

use crate::{journal, model::visible};

/// Installs the hook for panics and the form of internal errors.
pub fn install() -> color_eyre::Result<()> {
    let (_, eyre) =
        color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    eyre.install()?;
    std::panic::set_hook(Box::new(|info| eprintln!("{}", message(info))));
    Ok(())
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let what = visible(info.payload_as_str().unwrap_or("no message"));
    let folder = journal::state_dir().map(|folder| folder.display().to_string());
    format!(
        "muster failed: a fault of its own, which should not have happened. Please report it:\n  \
         {what} ({place}, muster {})\n\
         Machines that were launched go on and are billed: `muster status` shows them,\n\
         `muster down` terminates them. The journal is below {}.",
        env!("CARGO_PKG_VERSION"),
        folder.as_deref().unwrap_or("the state directory")
    )
}
