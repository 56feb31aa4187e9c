//! The project from its files again, or why the one that is planned stays; and
//! whether they have changed since.

use std::{sync::Arc, time::Duration};

use crate::{
    config::{Changed, Diagnostic, Project, Reading},
    model::Failure,
};

use super::{Update, shared::Shared};

/// How often the files are checked for changes.
const WATCH: Duration = Duration::from_secs(1);

/// What the files say now, and the project that came of it or why the planned
/// one stays.
pub(super) fn load(shared: &Shared) -> (Reading, Result<Arc<Project>, Failure>) {
    let planned = shared.project();
    let mut refused = None;
    let loaded = shared.files.load_if(|loaded| {
        refused = match &loaded.project {
            Some(project) => restart(&planned, project),
            None => Some(unusable(&loaded.diagnostics)),
        };
        refused.is_none()
    });
    let result = match (&refused, loaded.project) {
        (None, Some(project)) => Ok(Arc::new(project)),
        _ => Err(refused.clone().unwrap_or_else(|| unusable(&loaded.diagnostics))),
    };
    let (sources, diagnostics) = (loaded.sources, loaded.diagnostics);
    let in_memory = shared.files.are_in_memory();
    (Reading { sources, diagnostics, refused, in_memory }, result)
}

/// Reports which files differ from what was read of them, whenever that
/// changes. Reads on blocking threads.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut reported = Changed::default();
    while !shared.files.are_in_memory() {
        let files = shared.files.clone();
        let Ok(changed) = tokio::task::spawn_blocking(move || files.changed()).await else {
            return;
        };
        if changed != reported {
            shared.update(Update::FilesChanged(changed.files.clone()));
            reported = changed;
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// The first error and how many there are; the old project stays.
fn unusable(diagnostics: &[Diagnostic]) -> Failure {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let Some(first) = errors.next() else { return Failure::new("the configs hold no project") };
    let place = first.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let rest = match errors.count() {
        0 => String::new(),
        1 => ", and one error more".into(),
        more => format!(", and {more} errors more"),
    };
    let message = format!("cannot load the configs: {place}{}{rest}", first.message);
    let hint = first.help.clone().unwrap_or_else(|| "`muster check` lists all errors".into());
    Failure::new(message).hint(format!("{hint}; until then the plan is unchanged"))
}

/// What is settled when muster starts: where the cluster is kept, and how its
/// nodes are reached.
fn restart(old: &Project, new: &Project) -> Option<Failure> {
    let changed = |what: String| {
        let hint = "restart muster to apply it";
        Some(Failure::new(format!("{what}, which muster reads only when it starts")).hint(hint))
    };
    if *old.name != *new.name {
        return changed(format!("the project's name changed to `{}`", *new.name));
    }
    let ssh_config = |project: &Project| project.ssh_config.as_ref().map(|path| path.value.clone());
    if ssh_config(old) != ssh_config(new) {
        return changed("the project's ssh.config changed".into());
    }
    None
}
