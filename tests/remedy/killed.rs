//! The real binary on moto, killed as soon as EC2 has applied a change and before
//! muster gets the answer; restarted and killed at the next change, until none is
//! left. The result is the same as without kills, without duplicates.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{process::Command, sync::Notify, time::timeout};

use super::{
    account::{Account, Snapshot},
    harness::{FixHarness, OPERATOR},
    script::assert_alike,
    site::{Flaw, flawed},
};
use crate::support::{
    endpoint::{Answer, Endpoint, Request},
    muster::{Muster, Ran},
};

/// A project, and the real binary that fixes it.
struct Scene {
    harness: FixHarness,
    muster: Muster,
    /// The changes at which runs were killed.
    killed_at: Arc<Mutex<Vec<String>>>,
}

/// How a run ended.
enum End {
    Killed,
    ByItself(Ran),
}

impl Scene {
    /// Creates a project in which one of two networks must be created, peered and
    /// written into a config.
    async fn new() -> Self {
        let harness = flawed(Account::moto(), Some(Flaw::SameAddresses)).await;
        let muster = Muster::new()
            .env("AWS_ACCESS_KEY_ID", "AKIAKILLED")
            .env("AWS_SECRET_ACCESS_KEY", "killed");
        Self { harness, muster, killed_at: Arc::default() }
    }

    fn fix(&self, endpoint: &Endpoint) -> Command {
        let folder = self.harness.folder();
        let configs = ["us-west-2.yaml", "eu-west-1.yaml"].map(|name| folder.join(name));
        let mut arguments: Vec<PathBuf> =
            ["fix", "--yes", "--name", "harness", "--operator-cidr", OPERATOR]
                .map(Into::into)
                .into();
        arguments.extend(configs);
        let mut command = Command::from(self.muster.command(&arguments));
        command.current_dir(folder).env("AWS_ENDPOINT_URL", endpoint.url()).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs until it exits, or kills it once `done` is notified.
    async fn run(&self, endpoint: &Endpoint, done: &Notify) -> End {
        let mut run = self.fix(endpoint).spawn().unwrap();
        let ended = tokio::select! {
            () = done.notified() => None,
            ended = timeout(Duration::from_mins(2), run.wait()) => Some(ended.unwrap().unwrap()),
        };
        if ended.is_none() {
            run.kill().await.unwrap();
            return End::Killed;
        }
        End::ByItself(run.wait_with_output().await.unwrap().into())
    }

    /// Starts an endpoint that forwards everything.
    async fn open(&self) -> Endpoint {
        Endpoint::answering([Answer::From(self.address())]).await
    }

    /// Withholds the answer to the first change at which no run was killed yet, and
    /// blocks all further changes. A change without an id of its own, such as
    /// attaching a gateway, is requested again, and EC2 answers that it is done.
    async fn gate(&self, done: &Arc<Notify>) -> Endpoint {
        let (moto, done) = (self.address(), Arc::clone(done));
        let (all, used) = (Arc::clone(&self.killed_at), Mutex::new(false));
        Endpoint::with(move |request, _| {
            let (mut all, mut used) = (all.lock().unwrap(), used.lock().unwrap());
            let change = request.body().to_owned();
            if !changes(request) || all.contains(&change) {
                return Answer::From(moto.clone());
            }
            if std::mem::replace(&mut *used, true) {
                return Answer::Silence;
            }
            all.push(change);
            Answer::Withhold(moto.clone(), Arc::clone(&done))
        })
        .await
    }

    fn address(&self) -> String {
        self.harness.account.url().trim_start_matches("http://").to_owned()
    }

    /// Returns all existing resources, without the cluster's and the project's ids.
    async fn world(&self) -> Snapshot {
        let entries = std::fs::read_dir(self.muster.state().join("harness")).unwrap();
        let folders = entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
        let ids: Vec<_> = folders.map(|one| one.file_name().into_string().unwrap()).collect();
        assert_eq!(ids.len(), 1, "one cluster: {ids:?}");
        let project =
            std::fs::read_to_string(self.muster.state().join("harness/project-id")).unwrap();
        let plain = |text: String| {
            text.replace(&ids[0], "its-cluster").replace(project.trim(), "its-project")
        };
        let all = self.harness.account.snapshot().await;
        all.into_iter().map(|(key, value)| (plain(key), plain(value))).collect()
    }
}

/// Returns whether a request changes the account. A connection without a request
/// does not.
fn changes(request: &Request) -> bool {
    let action = request.get("Action").unwrap_or_default();
    !action.is_empty() && !action.starts_with("Describe") && request.get("DryRun").is_none()
}

/// Returns the operations of requests, sorted.
fn actions<'a>(bodies: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<_> = bodies.map(|body| body.split('&').next().unwrap().to_owned()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn killed_after_each_of_its_changes_the_real_binary_ends_the_same() {
    let whole = Scene::new().await;
    let endpoint = whole.open().await;
    let End::ByItself(ran) = whole.run(&endpoint, &Notify::new()).await else { unreachable!() };
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let requests = endpoint.requests();
    let made = actions(requests.iter().filter(|one| changes(one)).map(Request::body));
    assert!(made.len() > 15, "a network takes more calls: {made:?}");

    let scene = Scene::new().await;
    let mut kills = 0;
    let ran = loop {
        let done = Arc::new(Notify::new());
        let gate = scene.gate(&done).await;
        match scene.run(&gate, &done).await {
            End::Killed => kills += 1,
            End::ByItself(ran) => break ran,
        }
        assert!(kills <= made.len(), "each run continues where the last one was killed");
    };
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    ran.assert_is_calm();
    let killed_at = scene.killed_at.lock().unwrap().clone();
    assert_eq!(actions(killed_at.iter().map(String::as_str)), made, "each change once");
    assert_alike(&scene.world().await, &whole.world().await);
    assert_eq!(scene.harness.failing_checks().await, [""; 0]);
    println!("fix, killed after each of {kills} changes: the same result");
}
