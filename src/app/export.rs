//! `muster export`: the cluster as a Python module, JSON or environment variables.

use std::{io::Write, path::Path};

use super::{CliError, Exit, ProjectSession, Streams, known::Known};
use crate::{cli::ExportArgs, handover::Handover, model::Failure};

/// Prints it, or writes it to a file.
pub async fn run(args: ExportArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.project)?;
    world.print_warnings(streams)?;
    let known = Known::open(&world, streams).await?;
    let handover = known.handover(&world, args.force)?;
    for note in &handover.notes {
        streams.err.line(format!("note: {note}"))?;
    }
    let text = text(&handover, &args);
    match &args.output {
        Some(path) => {
            write(path, &text)?;
            streams.err.line(format!("written to {}", path.display()))?;
        }
        None => streams.out.document(text.trim_end())?,
    }
    Ok(Exit::DONE)
}

fn text(handover: &Handover, args: &ExportArgs) -> String {
    match (args.form.json, args.form.env) {
        (true, _) => handover.json(),
        (_, true) => handover.env(),
        _ => handover.python(),
    }
}

/// Whole or not at all: a Python that imports it meanwhile reads the old one.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || {
        // In the same folder, since a file can't be renamed across disks.
        let mut builder = tempfile::Builder::new();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        let mut file =
            builder.permissions(open).tempfile_in(folder.unwrap_or_else(|| Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        std::io::Result::Ok(())
    };
    write().map_err(|error| {
        let failure = Failure::new(format!("can't write {}: {error}", path.display()));
        CliError::usage(failure.hint("give -o a file in a folder that you can write to"))
    })
}
