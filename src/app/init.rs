//! `muster init`: say what would be written, ask, write.

mod aws;
mod questions;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    CliError, Exit, Streams,
    ask::{ask, can_ask, confirm},
};
use crate::{
    cli::{Format, InitArgs},
    config::{
        Diagnostic, Files, LoadRequest, Loaded, Overrides, Project, Source,
        edit::Hunk,
        init::{self, Base, Left, Many, Plan, Planned, Settings},
    },
    model::{Failure, Region},
    report,
};

use aws::Asked;

/// What is to be written, and what was found out for it.
struct Prepared {
    plan: Plan,
    /// What is there already and belongs to the project.
    others: Vec<Source>,
    asked: Asked,
}

/// Writes configs.
pub async fn run(args: InitArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let folder = std::env::current_dir().map_err(|error| {
        CliError::usage(Failure::new(format!("the current folder can't be used: {error}")))
    })?;
    let prepared = match &args.from {
        Some(file) => many(&args, file, &folder, streams).await?,
        None => first(&args, streams).await?,
    };
    refuse(&prepared, &folder)?;
    let text = args.format == Format::Text;
    if text {
        let paint = streams.out.paint();
        streams.out.lines(&report::init_plan(&prepared.plan, &prepared.asked.notes(), paint))?;
    }
    if !args.dry_run && !args.yes && !confirm("Write this?", &mut streams.err).await? {
        return Err(CliError::failed(Failure::new("not confirmed; nothing was written")));
    }
    let backups = if args.dry_run {
        Vec::new()
    } else {
        init::create(&prepared.plan, &folder).map_err(CliError::failed)?
    };
    if text {
        let written = (!args.dry_run).then_some(&backups[..]);
        streams.out.lines(&report::init_done(&prepared.plan, written))?;
    } else {
        streams.out.json(&document(&prepared, !args.dry_run, &backups))?;
    }
    Ok(Exit::DONE)
}

/// Nothing is written over, and nothing is written that does not load.
fn refuse(prepared: &Prepared, folder: &Path) -> Result<(), CliError> {
    let in_the_way = init::in_the_way(&prepared.plan, folder);
    if !in_the_way.is_empty() {
        return Err(CliError::usage(init::present(&in_the_way)));
    }
    let diagnostics = prepared.plan.diagnostics(&prepared.others);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(CliError::Config(diagnostics));
    }
    Ok(())
}

async fn many(
    args: &InitArgs,
    file: &Path,
    folder: &Path,
    streams: &mut Streams,
) -> Result<Prepared, CliError> {
    let base = Base::read(folder, file).map_err(CliError::Config)?;
    let regions = questions::regions(args, "eu-west-1", &mut streams.err).await?;
    let output = args.output.clone().or_else(|| file.parent().map(Path::to_owned));
    let output = output.unwrap_or_default();
    let base_listed = listed(&base, folder, &output)?;
    let present = present(folder, &output)?;
    let asked = if args.offline {
        Asked::offline()
    } else {
        aws::of_base(args, &base, &regions, &streams.waits).await?
    };
    let given = &args.settings;
    let plan = init::many(&Many {
        base: &base,
        base_listed,
        regions: &regions,
        folder: &output,
        settings: Settings {
            name: given.name.clone(),
            key_name: given.key_name.clone(),
            key_location: given.key_location.clone(),
            operator_cidr: given.operator_cidr,
        },
        known: &asked.known,
        present: present.as_ref().map(|(project, source)| (project, source.clone())),
    });
    let others = present.map_or_else(
        || vec![base.own().source.clone()],
        |(project, _)| project.configs().map(|config| config.source.clone()).collect(),
    );
    Ok(Prepared { plan: plan.map_err(CliError::usage)?, others, asked })
}

/// The base as `muster.yaml` in `output` names it.
fn listed(base: &Base, folder: &Path, output: &Path) -> Result<PathBuf, CliError> {
    let real = |path: &Path| fs::canonicalize(folder.join(path)).unwrap_or(folder.join(path));
    let file = real(&base.source.path);
    if file.parent() == Some(&real(output)) {
        return Ok(file.file_name().map(PathBuf::from).unwrap_or_default());
    }
    match base.relative_path() {
        None => Ok(file),
        Some(path) => {
            let message =
                format!("`{path}` starts from the project's folder, which would be another");
            let failure =
                Failure::new(message).hint("give that path from `/` or `~/` on, or leave out -o");
            Err(CliError::usage(failure))
        }
    }
}

/// The project that is there already, and its file as it is.
fn present(folder: &Path, output: &Path) -> Result<Option<(Project, Source)>, CliError> {
    let path = output.join("muster.yaml");
    let Ok(text) = fs::read_to_string(folder.join(&path)) else { return Ok(None) };
    let overrides = Overrides::default();
    let request = LoadRequest { folder: folder.to_owned(), files: vec![path.clone()], overrides };
    let Loaded { project, diagnostics, .. } = Files::real(request).load();
    let project = project.ok_or(CliError::Config(diagnostics))?;
    Ok(Some((project, Source { path: path.into(), text: text.into() })))
}

async fn first(args: &InitArgs, streams: &mut Streams) -> Result<Prepared, CliError> {
    let scope = questions::first(args, &mut streams.err).await?;
    let asked = aws::of_first(args, &scope, &streams.waits).await?;
    let scope = init::First { images: asked.images.clone(), ..scope };
    let plan = init::first(&scope, args.output.as_deref().unwrap_or(Path::new("")));
    Ok(Prepared { plan, others: Vec::new(), asked })
}

/// The result for programs (`--format json`).
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    simulated: bool,
    /// Whether the files were written; else only shown.
    written: bool,
    files: Vec<DocumentFile<'a>>,
    /// What AWS could not be asked, and why.
    not_asked: Vec<String>,
    backups: &'a [PathBuf],
}

#[derive(Serialize)]
struct DocumentFile<'a> {
    path: &'a Path,
    region: Option<&'a Region>,
    /// The file that it was made from; itself where it was there.
    from: Option<&'a Path>,
    diff: Vec<Hunk>,
    left: &'a [Left],
}

fn document<'a>(prepared: &'a Prepared, written: bool, backups: &'a [PathBuf]) -> Document<'a> {
    let file = |file: &'a Planned| DocumentFile {
        path: &file.path,
        region: file.region.as_ref(),
        from: file.from.as_ref().map(|source| &*source.path),
        diff: file.diff().hunks,
        left: &file.left,
    };
    Document {
        version: crate::report::JSON_VERSION,
        simulated: prepared.asked.simulated,
        written,
        files: prepared.plan.files.iter().map(file).collect(),
        not_asked: prepared.asked.failures.iter().map(ToString::to_string).collect(),
        backups,
    }
}
