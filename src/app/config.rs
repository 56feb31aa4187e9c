//! `muster config`: the project as muster reads it. Nobody is asked anything.

use std::path::{Path, PathBuf};

use super::{CliError, Exit, Streams, session};
use crate::{
    cli::{ConfigArgs, ConfigFormat},
    config::{
        Project,
        init::{self, Plan, Planned},
        resolved,
    },
    model::Failure,
    report,
};

/// Prints the project.
pub fn run(args: &ConfigArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let (project, warnings) = session::project(&args.project)?;
    let lines = report::diagnostics(&warnings, streams.err.paint());
    streams.err.lines(&lines)?;
    match (args.format, &args.output) {
        (ConfigFormat::Yaml, Some(folder)) => write(&project, folder, streams)?,
        (_, Some(_)) => {
            let failure = Failure::new("--output writes the files that --format yaml prints");
            return Err(CliError::usage(failure.hint("add --format yaml")));
        }
        (ConfigFormat::Yaml, None) => {
            for (name, text) in resolved::files(&project) {
                let text = format!("---\n# file: {name}\n{}", text.trim_end());
                streams.out.document(&text)?;
            }
        }
        (ConfigFormat::Text, None) => {
            let documents = resolved::documents(&project);
            streams.out.lines(&report::config(&documents, streams.out.paint()))?;
        }
        (ConfigFormat::Json, None) => {
            streams.out.json(&report::config_document(&resolved::documents(&project)))?;
        }
    }
    Ok(Exit::DONE)
}

/// Writes the files, and nothing over what is there.
fn write(project: &Project, folder: &Path, streams: &mut Streams) -> Result<(), CliError> {
    let file = |(name, text): (String, String)| Planned {
        path: folder.join(name).into(),
        text,
        from: None,
        region: None,
        left: Vec::new(),
    };
    let plan = Plan { files: resolved::files(project).into_iter().map(file).collect() };
    let in_the_way = init::in_the_way(&plan, &PathBuf::new());
    if !in_the_way.is_empty() {
        return Err(CliError::usage(init::present(&in_the_way)));
    }
    init::create(&plan, Path::new("")).map_err(CliError::failed)?;
    let names: Vec<_> = plan.files.iter().map(|file| file.path.display().to_string()).collect();
    Ok(streams.out.line(format!("Written: {}.", names.join(", ")))?)
}
