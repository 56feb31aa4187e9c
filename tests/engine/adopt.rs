//! Adoption of a `ray up` cluster: the autoscaler is stopped first, nothing is
//! tagged before that, and nothing is launched.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use muster::{
    cloud::tags,
    engine::{AdoptPlan, Command, Event, Phase, StepOutcome, Update},
    sim::Scenario,
};

use crate::support::run::Run;

/// Returns the instances of one region, as `ray up` leaves them; `more` is added to
/// the first worker's entry, or to the head's if there is no worker.
fn ray_up_instances(region: u8, workers: u8, more: &str) -> String {
    let letter = if region == 1 { 'a' } else { 'b' };
    let mut text = "instances = [\n".to_owned();
    for number in 0..=workers {
        let kind = if number == 0 { "head" } else { "worker" };
        let more = if number == workers.min(1) { more } else { "" };
        let key = if more.contains("key_name") { "" } else { "key_name = 'quokka'," };
        let more = more.trim_start_matches("no key_name");
        writeln!(
            text,
            "  {{ id = 'i-0000000000000{region}0{number}', instance_type = 'm5.large', {key} \
             subnet = 'subnet-0000000000000{region:0>3}a', image = 'ami-0000000000000000{letter}', \
             security_groups = ['sg-0000000000000000{region}'], {more} tags = {{ \
             ray-cluster-name = 'story', ray-node-type = '{kind}', ray-user-node-type = '{kind}' \
             }} }},"
        )
        .unwrap();
    }
    text + "]\n"
}

/// Returns two regions after `ray up`.
fn after_ray_up(us: &str, eu: &str, extra: &str) -> Scenario {
    let world = world_after(us, eu);
    Scenario::parse(&format!("{world}\n{extra}")).unwrap_or_else(|error| panic!("{error}"))
}

fn world_after(us: &str, eu: &str) -> String {
    let world = include_str!("two_regions.toml");
    let image = "images = [{ id = \"ami-0000000000000000a\", name = \"jammy\" }]\n";
    assert!(world.contains(image));
    let world = world.replacen(image, &format!("{image}{us}"), 1);
    let strangers = world.lines().find(|line| line.starts_with("instances = [{")).unwrap();
    world.replace(strangers, eu)
}

fn as_planned(extra: &str) -> Run {
    Run::new(&after_ray_up(&ray_up_instances(1, 2, ""), &ray_up_instances(2, 2, ""), extra))
}

async fn plan(run: &mut Run) -> Arc<AdoptPlan> {
    run.send(Command::PlanAdopt);
    match run.until(|update, _| matches!(update, Update::AdoptPlan(_))).await {
        Update::AdoptPlan(plan) => plan,
        _ => unreachable!(),
    }
}

async fn adopt(run: &mut Run) {
    let plan = plan(run).await;
    assert_eq!(plan.refused, []);
    run.send(Command::Adopt(plan));
    run.up_ended().await;
}

fn names(plan: &AdoptPlan) -> Vec<String> {
    plan.nodes.iter().map(|one| format!("{} {}", one.node, one.instance.id)).collect()
}

fn position(run: &Run, fits: impl Fn(&Event) -> bool) -> Option<usize> {
    run.events.iter().position(fits)
}

#[tokio::test(start_paused = true)]
async fn a_ray_up_cluster_becomes_the_cluster() {
    let mut run = as_planned("");
    let plan = plan(&mut run).await;
    assert_eq!((&plan.notes[..], &plan.refused[..]), (&[][..], &[][..]));
    let expected = [
        "us-west-2/head i-0000000000000100",
        "us-west-2/worker-1 i-0000000000000101",
        "us-west-2/worker-2 i-0000000000000102",
        "eu-west-1/head i-0000000000000200",
        "eu-west-1/worker-1 i-0000000000000201",
        "eu-west-1/worker-2 i-0000000000000202",
    ];
    assert_eq!(names(&plan), expected);
    assert_eq!(run.live().await, [], "a plan changes nothing");

    run.send(Command::Adopt(plan));
    run.up_ended().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!((run.world.calls("RunInstances"), run.world.calls("CreateTags")), (0, 2));
    let live = run.live().await;
    assert_eq!(live.len(), 6);
    for (_, instance) in &live {
        assert_eq!(instance.tags[tags::PROJECT], "story");
        let node = run.state.node_of(&instance.id).unwrap();
        assert!(node.instance.as_ref().unwrap().adopted);
        assert_eq!(node.instance.as_ref().unwrap().public_ip, instance.public_ip);
    }
    assert!(run.node("us-west-2/head").leader);
    let ended = |region: &str| {
        position(&run, |event| {
            matches!(event, Event::StepEnded { node, step, outcome: StepOutcome::Succeeded, .. }
                if step == "autoscaler" && node.as_str() == format!("{region}/head"))
        })
        .unwrap()
    };
    let tagged = position(&run, |event| matches!(event, Event::Adopted { .. })).unwrap();
    assert!(ended("us-west-2") < tagged && ended("eu-west-1") < tagged);
    assert!(!run.log("us-west-2/head").is_empty());

    assert!(run.stop().await);
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert!(run.down().await);
    assert_eq!(run.live().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_that_can_not_be_stopped_blocks_the_adoption() {
    let stays = "[[steps]]\nstep = 'autoscaler'\nnodes = ['eu-west-1/head']\nexit = 1\n\
                 output = 'the autoscaler still runs: 4711'\nattempts = [1]\n";
    let mut run = as_planned(stays);
    let first = plan(&mut run).await;
    run.send(Command::Adopt(first));
    run.until(|update, _| matches!(update, Update::Refused(_))).await;
    let notices = run.notices.join("\n");
    assert!(
        notices.contains("eu-west-1/head") && notices.contains("still runs: 4711"),
        "{notices}"
    );
    assert_eq!(run.world.calls("CreateTags"), 0);
    assert_eq!(run.live().await, []);
    assert_eq!(run.state.adopting, BTreeSet::new());
    assert!(run.state.nodes.values().all(|node| node.phase == Phase::Planned));

    adopt(&mut run).await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_ssh_rejects_is_reported_before_anything_is_tagged() {
    let us = ray_up_instances(1, 2, "no key_name");
    let mut run = Run::new(&after_ray_up(&us, &ray_up_instances(2, 2, ""), ""));
    let plan = plan(&mut run).await;
    let refused: Vec<_> = plan.refused.iter().map(ToString::to_string).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("us-west-2/worker-1"), "{refused:?}");
    assert!(refused[0].contains("Permission denied"), "{refused:?}");
    run.send(Command::Adopt(plan));
    run.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert_eq!(run.world.calls("CreateTags"), 0);
    assert_eq!(run.state.cluster, None, "nothing is started");
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_does_not_fit_is_refused_with_its_reason() {
    let right = || ray_up_instances(2, 2, "");
    let tagged =
        ray_up_instances(1, 2, "").replacen("tags = {", "tags = { 'muster:cluster' = 'a-b', ", 1);
    let headless = ray_up_instances(1, 2, "").replacen("'head'", "'worker'", 1);
    let two_heads = ray_up_instances(1, 2, "").replace("'worker'", "'head'");
    for (us, why) in [
        (String::new(), "no instance in us-west-2 carries ray-cluster-name = story"),
        (tagged, "i-0000000000000100 in us-west-2 belongs to muster's cluster a-b"),
        (ray_up_instances(1, 2, "stopped = true,"), "i-0000000000000101 in us-west-2 is stopped"),
        (headless, "is a head"),
        (two_heads, "are tagged as the head"),
    ] {
        let mut run = Run::new(&after_ray_up(&us, &right(), ""));
        let plan = plan(&mut run).await;
        let refused: Vec<_> = plan.refused.iter().map(ToString::to_string).collect();
        assert!(refused.iter().any(|refused| refused.contains(why)), "{why}: {refused:?}");
        assert_eq!(run.world.calls("CreateTags"), 0);
    }
    let mut run = Run::new(&super::two_regions(""));
    run.up().await;
    let plan = plan(&mut run).await;
    assert!(plan.refused[0].message.contains("instances of its own"), "{:?}", plan.refused);
}

#[tokio::test(start_paused = true)]
async fn more_or_fewer_than_planned_are_explained_and_taken_as_they_are() {
    let mut run =
        Run::new(&after_ray_up(&ray_up_instances(1, 1, ""), &ray_up_instances(2, 3, ""), ""));
    let plan = plan(&mut run).await;
    assert_eq!(plan.refused, []);
    assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);
    assert!(plan.notes[0].contains("us-west-2: 1 of 2 worker"), "{:?}", plan.notes);
    assert!(plan.notes[1].contains("eu-west-1: 3 worker where the config plans 2"));
    assert_eq!(names(&plan).last().unwrap(), "eu-west-1/worker-3 i-0000000000000203");

    run.send(Command::Adopt(plan));
    run.up_ended().await;
    let adopted = run.state.nodes.values().filter(|node| node.is_live());
    assert!(adopted.clone().all(|node| node.phase == Phase::Ready), "{:?}", run.phases());
    assert_eq!(adopted.count(), 6);
    assert_eq!(run.world.calls("RunInstances"), 0);

    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 7, "the missing one is launched");
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_it_goes_on_and_launches_nothing_in_addition() {
    let whole = {
        let mut run = as_planned("");
        adopt(&mut run).await;
        run.store.written()
    };
    assert!(whole > 40, "an adoption has {whole} records");
    for kill_after in 1..=whole {
        let mut run = as_planned("");
        let first = plan(&mut run).await;
        run.send_and_see(Command::Adopt(first), kill_after).await;
        let mut run = run.killed_and_restarted().await;
        if !run.state.adopting.is_empty() {
            run.send(Command::Up);
            run.until(|update, _| matches!(update, Update::Refused(_))).await;
            assert!(run.notices[0].contains("adopting"), "{:?}", run.notices);
        }
        adopt(&mut run).await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "after record {kill_after}");
        assert_eq!(run.world.calls("RunInstances"), 0, "after record {kill_after}");
        assert!(run.down().await);
        assert_eq!(run.live().await, []);
    }
}

/// Two clusters of `ray up` in one region, distinguished by their names.
#[tokio::test(start_paused = true)]
async fn instances_of_two_configs_of_a_region_become_nodes_of_each() {
    let story = ray_up_instances(1, 2, "");
    let gpus = ray_up_instances(1, 1, "").replace("'story'", "'gpu'");
    let gpus = gpus.replace("'i-0000000000000", "'i-000000000000f");
    let us = story.trim_end_matches("]\n").to_owned() + gpus.trim_start_matches("instances = [\n");
    let world = world_after(&us, &ray_up_instances(2, 2, ""));
    let (config, _) = world.split_once("\"eu.yaml\" = ").unwrap();
    let (_, config) = config.split_once("\"us.yaml\" = ").unwrap();
    let config = config.replace("cluster_name: story", "cluster_name: gpu");
    let config = config.replace("min_workers: 2", "min_workers: 1");
    let world = world
        .replace("\"eu.yaml\" = ", &format!("\"gpu.yaml\" = {config}\"eu.yaml\" = "))
        .replace("[\"us.yaml\", \"eu.yaml\"]", "[\"us.yaml\", \"eu.yaml\", \"gpu.yaml\"]");
    let mut run = Run::new(&Scenario::parse(&world).unwrap_or_else(|error| panic!("{error}")));
    let plan = plan(&mut run).await;
    assert_eq!((&plan.notes[..], &plan.refused[..]), (&[][..], &[][..]));
    let expected = [
        "us-west-2/head i-0000000000000100",
        "us-west-2/worker-1 i-0000000000000101",
        "us-west-2/worker-2 i-0000000000000102",
        "us-west-2/gpu-head i-000000000000f100",
        "us-west-2/gpu-worker-1 i-000000000000f101",
        "eu-west-1/head i-0000000000000200",
        "eu-west-1/worker-1 i-0000000000000201",
        "eu-west-1/worker-2 i-0000000000000202",
    ];
    assert_eq!(names(&plan), expected);
    run.send(Command::Adopt(plan));
    run.up_ended().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!((run.world.calls("RunInstances"), run.live().await.len()), (0, 8));
    assert!(run.node("us-west-2/head").leader && !run.node("us-west-2/gpu-head").leader);
    let again = self::plan(&mut run).await;
    assert_eq!((&again.nodes[..], &again.refused[..]), (&[][..], &[][..]), "everything is adopted");
    assert!(run.down().await);
    assert_eq!(run.live().await, []);
}
