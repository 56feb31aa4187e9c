//! The setup of a story: an account of the realistic EC2, one sshd for all nodes, a
//! folder with a project, and the real binary.

use std::{fs, process::Stdio, time::Duration};

use serde_json::json;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::support::{
    chance::Chance,
    ec2::{Account, Ec2},
    muster::{Muster, Ran},
    sshd::Sshd,
};

/// How long a command may run before it counts as stuck. `down` waits for five minutes for
/// the instances of a launch without an answer.
const PATIENCE: Duration = Duration::from_mins(8);

/// The scene of one story.
pub struct Scene {
    /// The account.
    pub account: Account,
    sshd: Sshd,
    muster: Muster,
}

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
pub enum Kill {
    /// Never.
    No,
    /// After this time.
    After(Duration),
    /// At the mutating call of this number, before or after its effect.
    AtCall(u64, bool),
}

impl Scene {
    /// Creates an account, and a folder without a project.
    pub fn new(ec2: &Ec2, seed: u64, faults: bool) -> Self {
        let account = ec2.account(&format!("{seed:016X}"), seed, &rules(seed, faults));
        let muster = Muster::new()
            .env("AWS_ACCESS_KEY_ID", &account.key)
            .env("AWS_SECRET_ACCESS_KEY", "story")
            .env("AWS_ENDPOINT_URL", account.url());
        Self { account, sshd: Sshd::start(), muster }
    }

    /// The arguments of `muster init`.
    pub fn init(&self) -> Vec<String> {
        let key = self.sshd.private_key().display().to_string();
        let image = "ami-1e749f67";
        let args = [
            ["--regions", "us-west-2,eu-west-1"],
            ["--image", image],
            ["--workers", "1"],
            ["--instance-type", "m5.large"],
            ["--key-name", "story"],
            ["--key-location", &key],
            ["--operator-cidr", "127.0.0.1/32"],
        ];
        let args = args.as_flattened().iter().map(ToString::to_string);
        ["init".to_owned()].into_iter().chain(args).chain(["--yes".to_owned()]).collect()
    }

    /// Completes the project after `init` as an operator would: steps without network
    /// access, and the ssh config for the sshd.
    pub fn complete_project(&self) {
        let folder = self.muster.folder();
        let path = folder.join("muster.yaml");
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("recipe:") {
            return;
        }
        let ssh = self.sshd.ssh_config();
        let more =
            format!("recipe: recipe.yaml\nhost_keys: pin\nssh: {{config: {}}}\n", ssh.display());
        self.muster.file("recipe.yaml", RECIPE);
        for name in ["us.yaml", "eu.yaml"] {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            let user = format!("ssh_user: {}", Sshd::user());
            self.muster.file(name, text.replace("ssh_user: ubuntu", &user));
        }
        self.muster.file("muster.yaml", text + &more);
    }

    /// Runs `muster args…` until it exits or is killed.
    pub async fn run(&self, args: &[String], kill: Kill) -> Option<Ran> {
        let child = self.start(args);
        if let (Kill::AtCall(calls, after), Some(pid)) = (kill, child.id()) {
            self.account.set(&json!({"victim": {"pid": pid, "calls": calls, "after": after}}));
        }
        let pid = child.id();
        let mut ended = Box::pin(child.wait_with_output());
        let output = match kill {
            Kill::After(time) => {
                if let Ok(output) = timeout(time, &mut ended).await {
                    output
                } else {
                    kill_process(pid);
                    ended.await
                }
            }
            _ => timeout(PATIENCE, ended).await.ok()?,
        };
        if let Kill::AtCall(..) = kill {
            self.account.set(&json!({"victim": null}));
        }
        Some(output.unwrap().into())
    }

    fn start(&self, args: &[String]) -> Child {
        Command::from(self.muster.command(args))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }
}

fn kill_process(pid: Option<u32>) {
    if let Some(pid) = pid {
        crate::support::sshd::kill("KILL", &[pid]);
    }
}

const RECIPE: &str = "steps:
  - {name: install, run: echo installing}
  - {name: lead, on: leader, run: echo leading, again: start}
  - {name: join, on: members, needs: [lead], run: echo joining $MUSTER_LEADER_IP, again: start}
";

/// Returns rules for EC2 at three to ten times its speed, with fault probabilities.
fn rules(seed: u64, faults: bool) -> serde_json::Value {
    let mut chance = Chance::new(seed).of("rules", 0);
    let scale = [0.1, 0.2, 0.3][usize::try_from(chance.below(3)).unwrap()];
    let often = [0.0, 0.005, 0.015][usize::try_from(chance.below(3)).unwrap()];
    let often = if faults { often } else { 0.0 };
    let full = if chance.happens(30) { vec!["us-west-2a", "eu-west-1b"] } else { vec![] };
    let kinds = [
        "refuse-500",
        "refuse-503",
        "throttle",
        "reset",
        "drop",
        "lost-500",
        "lost-503",
        "lost-reset",
        "lost-drop",
    ];
    let all = kinds.map(|kind| (kind.to_owned(), json!(often)));
    json!({
        "scale": scale, "full_zones": full, "silence": 2.0, "fault_budget": 25,
        "faults": all.into_iter().collect::<serde_json::Map<_, _>>(),
    })
}
