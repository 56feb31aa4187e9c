//! muster's own diagnostics: spans of commands, AWS calls, SSH sessions and file
//! I/O, as a log (`MUSTER_LOG`, `--log-file`) or for <chrome://tracing> (`--trace-json`).
//!
//! Only muster's own spans are written. Those of the AWS SDK are left out at every
//! level: they contain requests, and with them what should stay secret.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing::{
    Metadata,
    level_filters::LevelFilter,
    subscriber::{Interest, set_global_default},
};
use tracing_chrome::{ChromeLayerBuilder, EventOrSpan, FlushGuard, TraceStyle};
use tracing_subscriber::{
    Registry,
    fmt::MakeWriter,
    layer::{Context, Filter, Layer, SubscriberExt},
};

use super::CliError;
use crate::{
    cli::LogArgs,
    journal,
    model::{Failure, visible},
    report::{Out, Screen},
};

/// The environment variable that sets the level.
const LEVEL: &str = "MUSTER_LOG";

/// Flushes the trace when dropped.
#[must_use = "the trace is complete once this is dropped"]
pub struct Trace {
    _guard: Option<FlushGuard>,
}

/// Installs what `args` and `MUSTER_LOG` ask for; without either, nothing is
/// recorded. `has_screen`: a dashboard draws on the terminal, so that the log goes to
/// `muster.log` in the state directory unless `--log-file` names a file.
pub fn install(args: &LogArgs, has_screen: bool, screen: &Screen) -> Result<Trace, CliError> {
    let level = level(args, std::env::var(LEVEL).ok().as_deref())?;
    if level == LevelFilter::OFF && args.trace_json.is_none() {
        return Ok(Trace { _guard: None });
    }
    let log = (level != LevelFilter::OFF).then(|| log_writer(args, has_screen, screen));
    let log = log.transpose()?.map(|writer| {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
        layer.with_filter(OwnSpans(level))
    });
    let (chrome, guard) = args.trace_json.as_deref().map(chrome).transpose()?.unzip();
    let subscriber = Registry::default().with(log).with(chrome);
    set_global_default(subscriber).map_err(|error| CliError::Bug(error.into()))?;
    Ok(Trace { _guard: guard })
}

fn level(args: &LogArgs, variable: Option<&str>) -> Result<LevelFilter, CliError> {
    match variable.map(str::trim).filter(|value| !value.is_empty()) {
        None if args.log_file.is_some() => Ok(LevelFilter::DEBUG),
        None => Ok(LevelFilter::OFF),
        Some(value) => value.parse().map_err(|_| {
            let failure = Failure::new(format!("{LEVEL}={} is not a level", visible(value)));
            CliError::usage(failure.hint("use off, error, warn, info, debug or trace"))
        }),
    }
}

fn log_writer(args: &LogArgs, has_screen: bool, screen: &Screen) -> Result<Writer, CliError> {
    let path = match &args.log_file {
        Some(path) => path.clone(),
        None if has_screen => default_file()?,
        None => return Ok(Writer::Screen(screen.clone())),
    };
    Ok(Writer::File(Arc::new(create(&path, true)?)))
}

fn default_file() -> Result<PathBuf, CliError> {
    let folder = journal::state_dir().ok_or_else(|| {
        let failure = Failure::new("there is no home directory to write muster.log to");
        CliError::usage(failure.hint("set HOME, or give --log-file"))
    })?;
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    Ok(folder.join("muster.log"))
}

/// Opens `path` for writing, readable by the user alone: names of instances and
/// addresses are nobody else's business.
fn create(path: &Path, append: bool) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if append {
        options.append(true)
    } else {
        options.write(true).truncate(true)
    };
    options.open(path).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> CliError {
    let failure = Failure::new(format!("cannot write {}: {error}", path.display()));
    CliError::usage(failure.hint("give a file in a folder that you can write to"))
}

/// Builds the layer for <chrome://tracing>: one asynchronous track per span, since calls
/// of all regions overlap.
fn chrome<S>(path: &Path) -> Result<(impl Layer<S> + use<S>, FlushGuard), CliError>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync,
{
    let file = create(path, false)?;
    let (layer, guard) = ChromeLayerBuilder::new()
        .writer(file)
        .include_args(true)
        .trace_style(TraceStyle::Async)
        .name_fn(Box::new(|entry| match entry {
            EventOrSpan::Event(event) => event.metadata().name().to_owned(),
            EventOrSpan::Span(span) => span.metadata().name().to_owned(),
        }))
        .build();
    Ok((layer.with_filter(OwnSpans(LevelFilter::DEBUG)), guard))
}

/// Passes muster's own spans and events up to a level.
struct OwnSpans(LevelFilter);

impl OwnSpans {
    fn passes(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let own = target == "muster" || target.starts_with("muster::");
        own && *metadata.level() <= self.0
    }
}

impl<S> Filter<S> for OwnSpans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.passes(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.passes(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0)
    }
}

/// Where log lines go.
enum Writer {
    File(Arc<File>),
    /// Standard error, between the lines of the status.
    Screen(Screen),
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self)
    }
}

/// Writes one formatted line.
struct LineWriter<'a>(&'a Writer);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.0 {
            Writer::File(file) => {
                let mut file: &File = file;
                // One write per line, so that several processes can share a file.
                file.write_all(line)?;
            }
            Writer::Screen(screen) => {
                let text = String::from_utf8_lossy(line);
                text.lines().try_for_each(|line| Out::stderr(screen.clone()).line(line))?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
