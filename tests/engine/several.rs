//! Two configs of one region: launched, killed, resumed, terminated; added to a
//! running cluster, reordered, removed.

use std::sync::Arc;

use muster::{
    cloud::tags,
    config::Overrides,
    engine::{Command, LaunchState, Phase, Update, host_of},
    journal::Store,
    model::{ClusterId, NodeName},
    sim::{Scenario, World},
};

use crate::support::run::Run;

const LISTED: &str = "configs = [\"us.yaml\", \"eu.yaml\"]";
const IMAGE: &str = "images = [{ id = \"ami-0000000000000000a\", name = \"jammy\" }]\n";

/// Returns the two regions with a second config in us-west-2: a head and a worker of
/// an image with another user. The configs are `listed` in this order.
fn scenario(listed: &[&str], change: impl Fn(String) -> String) -> Scenario {
    let world = include_str!("two_regions.toml");
    let (us, _) = world.split_once("\"eu.yaml\" = ").unwrap();
    let (_, us) = us.split_once("\"us.yaml\" = ").unwrap();
    let gpu = us
        .replace("cluster_name: story", "cluster_name: gpu")
        .replace("ssh_user: ubuntu", "ssh_user: ec2-user")
        .replace("ami-0000000000000000a", "ami-0000000000000000c")
        .replace("min_workers: 2", "min_workers: 1")
        .replace("echo setting up", "echo setting up gpus");
    let listed = listed.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let image = "  { id = \"ami-0000000000000000c\", name = \"gpus\", user = \"ec2-user\" },\n";
    let images = IMAGE.replace("[{", "[\n  {").replace(" }]", &format!(" }},\n{image}]"));
    assert!(world.contains(IMAGE) && world.contains(LISTED) && gpu.contains("setting up gpus"));
    let text = world
        .replace(LISTED, &format!("configs = [{listed}]"))
        .replace("\"eu.yaml\" = ", &format!("\"gpu.yaml\" = {gpu}\"eu.yaml\" = "))
        .replace(IMAGE, &images);
    Scenario::parse(&change(text)).unwrap_or_else(|error| panic!("{error}"))
}

fn all() -> Scenario {
    scenario(&["us.yaml", "eu.yaml", "gpu.yaml"], |text| text)
}

/// Starts an engine that has loaded `before`; the files contain `after`.
fn run_on_changed(before: &Scenario, after: &Scenario) -> Run {
    // Otherwise the leader's cluster_name would name the project.
    let own = Overrides { name: Some("story".into()), ..Overrides::default() };
    let project = before.load_project_with(&own).project.unwrap();
    let store = Store::in_memory(ClusterId::new("test-000001"));
    let files = after.files(own);
    Run::on(World::new(before), Arc::new(project), files, store)
}

async fn reload(run: &mut Run) {
    run.send(Command::Reload);
    run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
}

/// Returns the nodes that have an instance.
fn live(run: &Run) -> Vec<&str> {
    let nodes = run.state.nodes.values().filter(|node| node.is_live());
    nodes.map(|node| node.name.as_str()).collect()
}

const EIGHT: [&str; 8] = [
    "eu-west-1/head",
    "eu-west-1/worker-1",
    "eu-west-1/worker-2",
    "us-west-2/gpu-head",
    "us-west-2/gpu-worker-1",
    "us-west-2/head",
    "us-west-2/worker-1",
    "us-west-2/worker-2",
];

#[tokio::test(start_paused = true)]
async fn each_node_is_launched_reached_and_set_up_by_its_own_config() {
    let mut run = Run::new(&all());
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(live(&run), EIGHT);
    assert_eq!(run.world.calls("RunInstances"), 6, "one call for each group");
    for (_, instance) in run.live().await {
        let node = run.state.node_of(&instance.id).unwrap();
        let gpu = node.name.short().starts_with("gpu-");
        assert_eq!(instance.tags[tags::RAY_CLUSTER_NAME], if gpu { "gpu" } else { "story" });
        assert_eq!(instance.tags["Name"].starts_with("ray-gpu-"), gpu);
        // The image accepts only this user.
        let host = host_of(&run.project, node).unwrap();
        assert_eq!(host.user, if gpu { "ec2-user" } else { "ubuntu" });
        let log = run.log(node.name.as_str()).join("\n");
        assert_eq!(log.contains("setting up gpus"), gpu, "{}: {log}", node.name);
        assert_eq!(node.leader, node.name.as_str() == "us-west-2/head");
    }
    let head = run.log("us-west-2/gpu-head").join("\n");
    assert!(head.contains("ray-members.1") && !head.contains("ray-leader"), "{head}");

    let manifest: serde_json::Value = serde_json::from_str(&run.store.manifest().unwrap()).unwrap();
    let ids = &manifest["regions"]["us-west-2"]["instance_ids"];
    assert_eq!(ids.as_array().unwrap().len(), 5, "{manifest:#}");
    assert_eq!(ids[0], run.node("us-west-2/head").instance.as_ref().unwrap().id.as_str());

    let plan = run.plan_down().await;
    assert_eq!(plan.terminate.len(), 8);
    assert!(run.down().await);
    assert_eq!(run.live().await, []);
}

#[tokio::test(start_paused = true)]
async fn killed_on_the_way_up_again_gives_the_same_eight() {
    let whole = {
        let mut run = Run::new(&all());
        run.up().await;
        run.store.written()
    };
    for kill_after in (1..=whole).step_by(3) {
        let mut run = Run::new(&all());
        run.send_and_see(Command::Up, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.up().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(live(&run), EIGHT, "after record {kill_after}");
        assert_eq!(run.live().await.len(), 8, "after record {kill_after}");
        assert!(run.down().await);
        assert_eq!(run.live().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn more_workers_of_the_first_config_rename_none_of_the_second() {
    let more = |text: String| {
        text.replacen("min_workers: 2\n    max_workers: 4", "min_workers: 3\n    max_workers: 3", 1)
    };
    let after = scenario(&["us.yaml", "eu.yaml", "gpu.yaml"], more);
    let mut run = run_on_changed(&all(), &after);
    run.up().await;
    let before = ids(&run);
    reload(&mut run).await;
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    let now = ids(&run);
    assert!(before.iter().all(|one| now.contains(one)), "{before:?} {now:?}");
    assert_eq!(now.len(), 9);
    assert!(live(&run).contains(&"us-west-2/worker-3"), "{:?}", live(&run));
}

/// Returns each node with its instance id.
fn ids(run: &Run) -> Vec<String> {
    let nodes = run.state.nodes.values();
    let id = |node: &muster::engine::NodeState| {
        format!("{} {}", node.name, node.instance.as_ref().unwrap().id)
    };
    nodes.map(id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_second_config_added_to_a_running_cluster_renames_and_repeats_nothing() {
    let before = scenario(&["us.yaml", "eu.yaml"], |text| text);
    let mut run = run_on_changed(&before, &all());
    run.up().await;
    assert_eq!(live(&run).len(), 6);
    let old = ids(&run);
    reload(&mut run).await;
    assert_eq!(run.node("us-west-2/gpu-head").phase, Phase::Planned);
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(live(&run), EIGHT);
    assert!(old.iter().all(|one| ids(&run).contains(one)));
    assert_eq!(run.world.calls("RunInstances"), 6);
}

/// Otherwise the first config's nodes would get the names of the other's.
#[tokio::test(start_paused = true)]
async fn in_another_order_nothing_is_launched_a_second_time() {
    let after = scenario(&["gpu.yaml", "us.yaml", "eu.yaml"], |text| text);
    let mut run = run_on_changed(&all(), &after);
    run.up().await;
    reload(&mut run).await;
    run.send(Command::Up);
    let refused = run.until(|update, _| matches!(update, Update::Refused(_))).await;
    let Update::Refused(failure) = refused else { unreachable!() };
    assert!(failure.message.starts_with("us-west-2/gpu-head runs as a node of gpu"), "{failure}");
    assert!(failure.hint.unwrap().contains("restore the previous order"));
    assert_eq!(run.world.calls("RunInstances"), 6);
    assert_eq!(run.live().await.len(), 8);
    assert!(run.down().await, "and all of it can be terminated");
    assert_eq!(run.live().await, []);
}

/// The journal has no other config; EC2's tags identify it.
#[tokio::test(start_paused = true)]
async fn a_config_put_before_what_runs_adopts_nothing() {
    let before = scenario(&["us.yaml", "eu.yaml"], |text| text);
    let after = scenario(&["gpu.yaml", "us.yaml", "eu.yaml"], |text| text);
    let mut run = run_on_changed(&before, &after);
    run.up().await;
    let old = ids(&run);
    reload(&mut run).await;
    run.up().await;
    let node = run.node("us-west-2/story-head");
    assert_eq!(node.phase, Phase::Failed);
    let why = node.failure.clone().unwrap();
    assert!(why.message.contains("runs as a node of story"), "{why}");
    assert!(why.hint.unwrap().contains("restore the previous order"));
    assert_eq!(run.world.calls("RunInstances"), 4, "nothing more");
    assert_eq!(run.live().await.len(), 6);
    assert!(old.iter().all(|one| ids_of_live(&run).contains(one)));
}

fn ids_of_live(run: &Run) -> Vec<String> {
    let nodes = run
        .state
        .nodes
        .values()
        .filter_map(|node| Some(format!("{} {}", node.name, node.instance.as_ref()?.id)));
    nodes.collect()
}

#[tokio::test(start_paused = true)]
async fn a_first_config_taken_out_is_refused_and_a_further_one_stays_on_record() {
    let rest = scenario(&["gpu.yaml", "eu.yaml"], |text| text);
    let mut run = run_on_changed(&all(), &rest);
    run.up().await;
    reload(&mut run).await;
    run.send(Command::Up);
    run.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert_eq!(run.world.calls("RunInstances"), 6);

    let first = scenario(&["us.yaml", "eu.yaml"], |text| text);
    let mut run = run_on_changed(&all(), &first);
    run.up().await;
    reload(&mut run).await;
    run.up().await;
    assert_eq!(run.world.calls("RunInstances"), 6, "nothing new");
    assert_eq!(live(&run), EIGHT);
    let node = &run.state.nodes[&NodeName::new("us-west-2/gpu-head")];
    let why = host_of(&run.project, node).unwrap_err().message;
    assert_eq!(why, "the config of cluster_name gpu in us-west-2 is not in the project any more");
    assert!(run.down().await);
    assert_eq!(run.live().await, []);
}

/// A launch whose answer was lost is resolved under its own config.
#[tokio::test(start_paused = true)]
async fn a_launch_without_an_answer_is_resolved_by_its_own_config() {
    let mut run = Run::new(&all());
    run.send(Command::Up);
    let intended = |state: &muster::engine::RunState| {
        let gpu = |launch: &&muster::engine::LaunchRecord| launch.group.cluster_name.is_some();
        let mut own = state.launches.values().filter(gpu);
        own.any(|launch| launch.state == LaunchState::Intended)
    };
    run.until(|_, state| intended(state)).await;
    let mut run = run.killed_and_restarted().await;
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 8);
}

/// Ray's tools search for it under its old name.
#[tokio::test(start_paused = true)]
async fn a_changed_cluster_name_is_reported() {
    let renamed = |text: String| text.replacen("cluster_name: story", "cluster_name: tale", 1);
    let before = scenario(&["us.yaml", "eu.yaml"], |text| text);
    let after = scenario(&["us.yaml", "eu.yaml"], renamed);
    let mut run = run_on_changed(&before, &after);
    run.up().await;
    reload(&mut run).await;
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    let notices = run.notices.iter().filter(|notice| notice.contains("cluster_name story"));
    assert_eq!(notices.count(), 1, "{:?}", run.notices);
    assert_eq!(run.world.calls("RunInstances"), 4);
}

/// A fault of the scenario affects only the node of the further config.
#[tokio::test(start_paused = true)]
async fn an_instance_of_a_further_config_fails_and_the_others_go_on() {
    let odd = |text: String| text + "\n[nodes.\"us-west-2/gpu-head\"]\nnever_runs = true\n";
    let mut run = Run::new(&scenario(&["us.yaml", "eu.yaml", "gpu.yaml"], odd));
    run.up().await;
    let failed = run.state.nodes.values().filter(|node| node.phase != Phase::Ready);
    let failed: Vec<_> = failed.map(|node| node.name.as_str()).collect();
    assert_eq!(failed, ["us-west-2/gpu-head"]);
}
