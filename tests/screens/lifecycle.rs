//! Stop, start, restart and adopt, from the dashboard.

use std::sync::Arc;

use muster::{
    check::{Finding, Level, Subject},
    cloud::{Instance, InstanceState, tags},
    engine::{
        AdoptPlan, AdoptedNode, Adoptee, Command, Event, InstanceInfo, LaunchedInstance, StartPlan,
        StopPlan, Update,
    },
    model::{Failure, GroupKey, NodeKind, NodeName, Region},
    survey::Fact,
    tui::{Effect, Model, Screen},
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

fn sends(command: Command) -> Vec<Effect> {
    vec![Effect::Send(command)]
}

/// Returns EC2's description of an instance on record.
fn instance(info: &InstanceInfo) -> Instance {
    Instance {
        id: info.id.clone(),
        state: info.state,
        state_reason: None,
        instance_type: info.instance_type.clone(),
        zone: format!("{}a", info.region).into(),
        private_ip: info.private_ip,
        public_ip: info.public_ip,
        launched: Some(fixture::at(3)),
        spot: false,
        ebs_root: true,
        launch_index: 0,
        token: None,
        tags: [].into(),
    }
}

fn instances(model: &Model) -> Vec<(Region, Instance)> {
    let nodes = model.nodes_in_order().into_iter();
    let infos = nodes.filter_map(|node| node.instance.as_ref());
    infos.map(|info| (info.region.clone(), instance(info))).collect()
}

/// Returns a ready cluster with every instance stopped, at second 100.
fn stopped() -> Model {
    let mut model = fixture::all_ready();
    let infos: Vec<_> = model.state.instances().cloned().collect();
    let instances = infos.iter().map(|info| info.id.clone()).collect();
    fixture::event(&mut model, 92, Event::StopIntended { instances });
    for info in infos {
        let changed = Event::InstanceChanged {
            instance: info.id,
            region: info.region,
            state: InstanceState::Stopped,
            reason: None,
            private_ip: info.private_ip,
            public_ip: None,
        };
        fixture::event(&mut model, 100, changed);
    }
    fixture::event(&mut model, 101, Event::StopEnded { stopped: 9, left: 0 });
    model
}

#[test]
fn a_stop_is_shown_and_confirmed() {
    let mut board = TestDashboard::new(fixture::all_ready());
    assert!(board.text(80, 24).contains("p stop"), "{}", board.text(80, 24));
    assert_eq!(board.press("p"), sends(Command::PlanStop));
    assert_eq!(board.press("Y enter"), [], "not before the plan is shown");
    assert_eq!(board.press("p"), sends(Command::PlanStop));
    let mut stop = instances(&board.model);
    let (region, spot) = stop.pop().unwrap();
    let stay = vec![(region, spot, "a spot instance can't be stopped".into())];
    let unknown = vec![("ap-southeast-2".into(), Failure::new("the request has expired"))];
    let plan = Arc::new(StopPlan { stop, stay, unknown, ..StopPlan::default() });
    board.model.fold(Update::StopPlan(plan.clone()));
    pictures("stop_plan", &mut board);
    assert_eq!(board.press("esc p"), sends(Command::PlanStop));
    assert_eq!(board.press("enter p"), sends(Command::PlanStop), "the harmless button is first");
    assert_eq!(board.press("Y"), sends(Command::StopMachines(plan)));
    assert_eq!(board.ui.screen, Screen::Instances);
}

#[test]
fn a_new_plan_is_not_confirmed_by_the_last_answer() {
    let mut board = TestDashboard::new(fixture::all_ready());
    let plan = StopPlan { stop: instances(&board.model), ..StopPlan::default() };
    board.model.fold(Update::StopPlan(Arc::new(plan)));
    let effects = board.press("p");
    board.sends(&effects);
    assert_eq!(board.press("Y tab enter"), []);
}

#[test]
fn a_stopped_cluster_costs_its_volumes_and_is_started_by_a_key() {
    let mut board = TestDashboard::new(stopped());
    pictures("overview_stopped", &mut board);
    board.press("2");
    pictures("instances_stopped", &mut board);
    let text = board.text(220, 48);
    assert!(text.matches(" volumes ").count() >= 9, "{text}");
    assert!(!text.contains("0.504"), "{text}");
    assert!(text.contains("its volumes alone while it is stopped"), "{text}");
    assert_eq!(board.press("P"), sends(Command::PlanStart));
    let start = instances(&board.model);
    let plan = Arc::new(StartPlan { start, ..StartPlan::default() });
    board.model.fold(Update::StartPlan(plan.clone()));
    pictures("start_plan", &mut board);
    assert_eq!(board.press("tab enter"), sends(Command::StartMachines(plan)));
    assert_eq!(board.ui.screen, Screen::Bootstrap);
}

#[test]
fn a_restart_is_confirmed_after_showing_what_is_lost() {
    let mut board = TestDashboard::new(fixture::all_ready());
    assert_eq!(board.press("U"), []);
    pictures("restart", &mut board);
    assert_eq!(board.press("enter U Y"), sends(Command::Restart));
}

#[test]
fn commands_that_do_not_apply_are_refused_at_once() {
    let mut healthy = fixture::model(4);
    fixture::healthy(&mut healthy);
    let mut board = TestDashboard::new(healthy);
    for (key, why) in [
        ("p", "nothing runs"),
        ("P", "no machine to start"),
        ("U", "nothing runs"),
        ("A", "no machine of `ray up`"),
    ] {
        assert_eq!(board.press(key), []);
        assert!(board.text(80, 24).contains(why), "{}", board.text(80, 24));
        assert!(!board.text(160, 24).contains(&format!(" {key} st")), "{}", board.text(160, 24));
    }
    let mut board = TestDashboard::new(stopped());
    for (key, why) in [("p", "stopped already"), ("U", "P starts them"), ("A", "of its own")] {
        assert_eq!(board.press(key), []);
        assert!(board.text(80, 24).contains(why), "{}", board.text(80, 24));
    }
    board.model.read_only = Some("another muster".into());
    assert_eq!(board.press("P"), []);
    assert!(board.text(80, 24).contains("read-only"), "{}", board.text(80, 24));
    let mut board = TestDashboard::new(fixture::launching());
    assert_eq!(board.press("p"), sends(Command::PlanStop), "a launch can be stopped");
    assert_eq!(board.press("esc P U A"), []);
}

/// Returns a region's instances as `ray up` launched them, and the check that found them.
fn ray_up() -> Model {
    let mut model = fixture::model(4);
    let region: Region = "us-west-2".into();
    let finding = Finding {
        check: "cluster.name-taken",
        level: Level::Fail,
        subject: Subject::Region(region.clone()),
        title: "3 instances of another cluster named tpch-demo".into(),
        evidence: vec!["i-0c1, i-0c2 and i-0c3".into()],
        impact: Some("Ray's tools and pyquokka would mix them up".into()),
        todo: None,
        location: None,
    };
    fixture::looked(&mut model, vec![finding]);
    let mut survey = (*model.survey.clone().unwrap()).clone();
    let found = adoptees().into_iter().map(|one| one.instance).collect();
    survey.regions.get_mut(&region).unwrap().instances = Fact::Known(found);
    model.survey = Some(Arc::new(survey));
    model
}

fn adoptees() -> Vec<Adoptee> {
    let region: Region = "us-west-2".into();
    let one = |number: u8, node: NodeName, kind, node_type: &str| Adoptee {
        node,
        group: GroupKey {
            region: region.clone(),
            cluster_name: None,
            kind,
            node_type: node_type.into(),
        },
        instance: Instance {
            id: format!("i-0c1d2e3f4a5b6c70{number}").into(),
            state: InstanceState::Running,
            state_reason: None,
            instance_type: "m5.2xlarge".into(),
            zone: "us-west-2a".into(),
            private_ip: format!("10.1.0.{number}").parse().ok(),
            public_ip: format!("203.0.113.{number}").parse().ok(),
            launched: Some(fixture::at(0)),
            spot: false,
            ebs_root: true,
            launch_index: 0,
            token: None,
            tags: [(tags::RAY_CLUSTER_NAME.to_owned(), "tpch-demo".to_owned())].into(),
        },
    };
    vec![
        one(1, NodeName::head(&region), NodeKind::Head, "ray.head.default"),
        one(2, NodeName::worker(&region, 1), NodeKind::Worker, "ray.worker.default"),
        one(3, NodeName::worker(&region, 2), NodeKind::Worker, "ray.worker.default"),
    ]
}

fn plan() -> AdoptPlan {
    AdoptPlan {
        cluster: "tpch-demo-k3x9ab".into(),
        nodes: adoptees(),
        notes: vec!["us-west-2/worker-1 is an m5.2xlarge, where the config says r5.2xlarge".into()],
        refused: Vec::new(),
    }
}

#[test]
fn a_ray_up_cluster_is_offered_and_adopted() {
    let mut board = TestDashboard::new(ray_up());
    let text = board.text(80, 24);
    assert!(text.contains("A: take over what `ray up` made"), "{text}");
    assert!(text.contains("A take over"), "{text}");
    board.press("enter");
    let text = board.text(160, 48);
    assert!(text.contains("Fix (A)"), "{text}");
    let effects = board.press("A");
    assert_eq!(effects, sends(Command::PlanAdopt));
    board.sends(&effects);
    pictures("adopt_asking", &mut board);
    let plan = Arc::new(plan());
    board.model.fold(Update::AdoptPlan(plan.clone()));
    pictures("adopt_plan", &mut board);
    assert_eq!(board.press("Y"), sends(Command::Adopt(plan)));
}

#[test]
fn blockers_of_an_adoption_are_shown_and_no_key_adopts() {
    let mut board = TestDashboard::new(ray_up());
    let refusal = Failure::new("i-0c1d2e3f4a5b6c702 in us-west-2 is stopped")
        .hint("all of them have to run: start it, or terminate it and wait a minute");
    let refused = Arc::new(AdoptPlan { refused: vec![refusal], ..AdoptPlan::default() });
    board.press("A");
    board.model.fold(Update::AdoptPlan(refused));
    pictures("adopt_refused", &mut board);
    assert_eq!(board.press("Y"), []);
    assert_eq!(board.press("enter"), []);
    assert!(board.ui.dialog.is_none());
}

#[test]
fn adopting_despite_failing_checks_takes_a_typed_word() {
    let mut board = TestDashboard::new(ray_up());
    let mut findings = board.model.findings().to_vec();
    findings.push(Finding { check: "key.exists", ..findings[0].clone() });
    board.model.findings = Some(findings.into());
    board.press("A");
    let plan = Arc::new(plan());
    board.model.fold(Update::AdoptPlan(plan.clone()));
    assert_eq!(board.press("Y enter"), []);
    board.press("backspace");
    assert_eq!(board.press("'anyway' enter"), sends(Command::Adopt(plan)));
}

#[test]
fn adopted_instances_have_a_mark() {
    let mut model = ray_up();
    let created = Event::ClusterCreated {
        cluster: "tpch-demo-k3x9ab".into(),
        project: "tpch-demo".into(),
        leader: "us-west-2".into(),
        regions: model.project.region_names(),
    };
    fixture::event(&mut model, 2, created);
    let nodes = adoptees().into_iter().map(|one| AdoptedNode {
        group: one.group,
        instance: LaunchedInstance {
            node: one.node,
            id: one.instance.id,
            instance_type: one.instance.instance_type,
            vcpus: Some(8),
            zone: one.instance.zone,
            private_ip: one.instance.private_ip,
            public_ip: one.instance.public_ip,
        },
    });
    let adopted = Event::Adopted { region: "us-west-2".into(), nodes: nodes.collect() };
    fixture::event(&mut model, 4, adopted);
    let mut board = TestDashboard::new(model);
    board.press("2");
    pictures("instances_adopted", &mut board);
    let text = board.text(80, 24);
    assert!(text.contains("us-west-2/head ◊") && text.contains("made by `ray up`"), "{text}");
}
