//! `muster check`: look once, say what was found.

use super::{CliError, Exit, ProjectSession, Streams};
use crate::{
    check::{self, Summary},
    cli::{CommandArgs, Format},
    config::Diagnostic,
    report::{self, FindingsDocument},
    survey::{self, SurveyOptions},
};

/// Looks at all regions and prints the findings.
pub async fn run(args: CommandArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = match ProjectSession::open(&args.project) {
        Err(CliError::Config(diagnostics)) if args.format == Format::Json => {
            return refused(&diagnostics, streams);
        }
        world => world?,
    };
    world.attend(streams);
    let remote = world.remote_for_reading();
    let cluster = world.recorded(streams)?.and_then(|(_, state)| state.cluster);
    let options =
        SurveyOptions { dry_run: true, cluster: cluster.clone(), ..SurveyOptions::default() };
    let survey = survey::take(&world.project, &*world.cloud, &*remote, &world.clock, options).await;
    let findings = check::run(&world.project, &survey, cluster.as_ref());
    let exit = Exit::of_look(&findings, survey.not_asked.is_some());
    match args.format {
        Format::Json => streams.out.json(&FindingsDocument {
            version: crate::report::JSON_VERSION,
            project: Some(&world.project.name),
            simulated: world.cloud.is_simulated(),
            at: Some(survey.at),
            regions: world.project.region_names(),
            summary: Summary::of(&findings),
            findings: &findings,
            diagnostics: world.warnings(),
            not_asked: survey.not_asked.as_ref(),
            exit_code: exit.code(),
        })?,
        Format::Text => {
            world.print_warnings(streams)?;
            if let Some(failure) = &survey.not_asked {
                return Err(CliError::Failed { exit, failure: failure.clone() });
            }
            world.print_simulated(streams)?;
            let paint = streams.out.paint();
            streams.out.lines(&report::findings(&world.project, &findings, paint))?;
            if Summary::of(&findings).fail > 0 {
                streams.out.line("Next: `muster fix` shows what it would change, and asks.")?;
            }
        }
    }
    Ok(exit)
}

/// Programs get one document also where there is no project to look at.
fn refused(diagnostics: &[Diagnostic], streams: &mut Streams) -> Result<Exit, CliError> {
    streams.out.json(&FindingsDocument {
        version: crate::report::JSON_VERSION,
        project: None,
        simulated: false,
        at: None,
        regions: Vec::new(),
        summary: Summary::default(),
        findings: &[],
        diagnostics,
        not_asked: None,
        exit_code: Exit::USAGE.code(),
    })?;
    Ok(Exit::USAGE)
}
