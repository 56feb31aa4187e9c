//! The command lists of a region config.

use crate::config::{
    Commands, Location, Source,
    diagnostic::ids,
    reader::{ConfigReader, Cursor},
};

/// Ray's own start commands, taken where the key is absent, without the
/// option that hands the nodes to Ray's autoscaler: muster owns the nodes.
const HEAD_START_RAY: [&str; 2] =
    ["ray stop", "ulimit -n 65536; ray start --head --port=6379 --object-manager-port=8076"];
const WORKER_START_RAY: [&str; 2] = [
    "ray stop",
    "ulimit -n 65536; ray start --address=$RAY_HEAD_IP:6379 --object-manager-port=8076",
];

/// The option that starts Ray's autoscaler on the head.
const AUTOSCALER: &str = "--autoscaling-config";

/// Reads them. `run`: whether the lists that start Ray are run at all.
pub(super) fn read(
    source: &Source,
    place: &Cursor<'_>,
    run: bool,
    reader: &mut ConfigReader,
) -> Commands {
    if run {
        warn_of_autoscaler(source, place, reader);
    }
    Commands {
        initialization: list(place, "initialization_commands", &[], reader),
        setup: list(place, "setup_commands", &[], reader),
        head_setup: list(place, "head_setup_commands", &[], reader),
        worker_setup: list(place, "worker_setup_commands", &[], reader),
        head_start_ray: list(place, "head_start_ray_commands", &HEAD_START_RAY, reader),
        worker_start_ray: list(place, "worker_start_ray_commands", &WORKER_START_RAY, reader),
    }
}

/// The commands under `key`, or `default` where the key is absent. An empty
/// list is what the user asked for.
fn list(place: &Cursor<'_>, key: &str, default: &[&str], reader: &mut ConfigReader) -> Vec<String> {
    match place.get(key) {
        Some(list) => reader.texts(&list).into_iter().map(|text| text.value).collect(),
        None => default.iter().copied().map(str::to_owned).collect(),
    }
}

fn warn_of_autoscaler(source: &Source, place: &Cursor<'_>, reader: &mut ConfigReader) {
    let Some(list) = place.get("head_start_ray_commands") else { return };
    let mut commands = list.items();
    let Some(command) = commands.find(|item| item.node.text().contains(AUTOSCALER)) else {
        return;
    };
    let message = "`--autoscaling-config` starts Ray's autoscaler, which would act against muster";
    let help = "remove the option: the autoscaler launches nodes that muster does not know, \
                and terminates those that it launched";
    let location = location_of_option(source, command.location());
    reader.report(command.warning(ids::AUTOSCALER, message).at(location).help(help));
}

/// Where the option stands in the command that begins at `start`, which may
/// go on for several lines.
fn location_of_option(source: &Source, start: Location) -> Location {
    let skipped = (start.line as usize).saturating_sub(1);
    let mut lines = source.text.lines().zip(1..).skip(skipped);
    let found = lines.find_map(|(text, line)| text.split_once(AUTOSCALER).map(|(b, _)| (b, line)));
    let Some((before, line)) = found else { return start };
    let column = u32::try_from(before.chars().count() + 1).unwrap_or(1);
    Location { line, column, width: u32::try_from(AUTOSCALER.len()).unwrap_or(1), ..start }
}
