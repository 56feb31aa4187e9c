//! One contract for `Remote`, run against two worlds: the simulated one and a real
//! sshd behind OpenSSH. So the results of the fast tests and the demo hold on real
//! nodes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod hosts;
mod scripts;
mod simulated;
mod sshd;
mod transfers;

use std::{path::PathBuf, sync::Arc, time::Duration};

use muster::remote::{Exit, Host, Remote, RemoteError, Script, Session};
use tokio::sync::mpsc;

/// A world with a few nodes and private keys.
#[async_trait::async_trait]
trait World: Send + Sync {
    fn remote(&self) -> Arc<dyn Remote>;

    /// Returns `host` with the right key.
    fn host(&self, host: TestHost) -> Host;

    /// The path of a private key.
    fn key(&self, key: Key) -> PathBuf;

    /// Returns a script with the output and exit status of `step`.
    fn text(&self, step: &Step) -> String;

    /// A command that does the same and prints its `errors` on its standard error.
    fn command(&self, step: &Step) -> String;

    /// Reads a file on [`TestHost::Reachable`], below the home folder: its mode and content.
    async fn file(&self, path: &str) -> Option<(u32, Vec<u8>)>;

    /// Breaks the connections to [`TestHost::Reachable`]. Does nothing in a world that
    /// breaks the connection of [`BREAKS`] by itself.
    async fn cut(&self);

    /// From now on, another machine answers at [`TestHost::Rekeyed`].
    async fn change(&self);
}

/// Nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestHost {
    /// Accepts the right key.
    Reachable,
    /// Refuses connections.
    Closed,
    /// Another machine answers after [`World::change`].
    Rekeyed,
}

/// Private key files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// Authorized on the nodes.
    Right,
    /// Not authorized.
    Other,
    Missing,
    ReadableByOthers,
    Passphrase,
    Garbage,
}

/// What a script prints and how it ends. In the simulated world, the scenario
/// defines the step of that name in the same way.
struct Step {
    name: &'static str,
    lines: &'static [&'static str],
    exit: i32,
    hangs: bool,
    /// Only when run as a command.
    errors: &'static [&'static str],
}

const PRINTS: Step =
    Step { name: "prints", lines: &["one", "two", "three"], exit: 0, hangs: false, errors: &[] };
const FAILS: Step =
    Step { name: "fails", lines: &["a reason"], exit: 3, hangs: false, errors: &[] };
const SILENT: Step = Step { name: "silent", lines: &[], exit: 0, hangs: false, errors: &[] };
const HANGS: Step = Step { name: "hangs", lines: &["begun"], exit: 0, hangs: true, errors: &[] };
/// The connection breaks after two lines.
const BREAKS: Step = Step {
    name: "breaks",
    lines: &["one", "two", "three", "four"],
    exit: 5,
    hangs: false,
    errors: &[],
};

/// Fails, and writes to stdout and stderr.
const COMPLAINS: Step = Step {
    name: "complains",
    lines: &["out", "more"],
    exit: 4,
    hangs: false,
    errors: &["why", "and where"],
};

type Outcome = (Vec<String>, muster::remote::Result<Exit>);

impl Step {
    fn script(&self, world: &dyn World) -> Script {
        Script {
            key: format!("{}.1", self.name),
            text: world.text(self),
            env: [].into(),
            timeout: Duration::from_secs(if self.hangs { 2 } else { 60 }),
        }
    }
}

async fn connect(world: &dyn World, host: TestHost) -> Box<dyn Session> {
    world.remote().connect(&world.host(host)).await.unwrap()
}

async fn refused(world: &dyn World, host: &Host) -> RemoteError {
    world.remote().connect(host).await.err().expect("the connection to fail")
}

/// Runs `step` and collects its lines.
async fn run(world: &dyn World, session: &dyn Session, step: &Step, skip: u64) -> Outcome {
    watch(world, session, step, skip, async |_| {}).await
}

/// The same; sends the number of lines to `seen` after each line.
async fn watch(
    world: &dyn World,
    session: &dyn Session,
    step: &Step,
    skip: u64,
    seen: impl AsyncFn(usize),
) -> Outcome {
    let (sender, mut receiver) = mpsc::channel(8);
    let gather = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
            seen(lines.len()).await;
        }
        lines
    };
    let script = step.script(world);
    let (exit, lines) = tokio::join!(session.run(&script, skip, sender), gather);
    (lines, exit)
}

/// Generates two tests from each function `async fn(&dyn World)`.
macro_rules! contract {
    ($($module:ident: [$($name:ident),* $(,)?]),* $(,)?) => {
        mod on_sshd {
            $($(
                #[tokio::test]
                async fn $name() {
                    super::$module::$name(&super::sshd::world()).await;
                }
            )*)*
        }

        mod in_the_simulation {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    super::$module::$name(&super::simulated::world().await).await;
                }
            )*)*
        }
    };
}

contract! {
    commands: [
        what_a_command_prints_is_kept_apart,
        a_command_returns_its_exit_status,
        a_command_runs_again_each_time,
        a_command_is_lost_with_its_connection,
        commands_run_side_by_side,
        a_connection_that_holds_is_not_lost,
    ],
    scripts: [
        lines_come_in_order_and_then_the_exit_status,
        a_failing_script_returns_its_status,
        a_script_that_prints_nothing,
        the_time_limit_ends_a_script,
        a_finished_script_is_reported_again,
        recorded_lines_are_not_repeated,
        a_lost_connection_is_picked_up,
        a_script_goes_on_when_nobody_waits,
        a_script_ends_without_a_reader,
        scripts_run_side_by_side_on_one_connection,
        two_connections_share_one_run,
    ],
    transfers: [
        a_file_is_put_there_with_its_mode_and_again_over_itself,
        a_file_mount_is_copied_to_the_home_folder,
    ],
    hosts: [
        connection_refused,
        a_key_that_the_node_does_not_know,
        a_key_file_that_is_not_there,
        another_machine_at_the_same_address,
        many_connections_at_once,
        private_keys_show_their_public_half,
        private_keys_that_can_not_be_used,
    ],
}
