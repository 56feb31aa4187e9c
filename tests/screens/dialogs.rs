//! Snapshots of the dialogs.

use std::sync::Arc;

use muster::{
    cloud::{Instance, InstanceState, tags},
    engine::{DownPlan, Update},
    model::{Failure, Region},
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

fn healthy() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    TestDashboard::new(model)
}

#[test]
fn launch_where_nothing_speaks_against_it() {
    let mut board = healthy();
    board.press("u");
    pictures("launch_clear", &mut board);
}

#[test]
fn launch_where_checks_fail() {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    let mut board = TestDashboard::new(model);
    board.press("u 'any'");
    pictures("launch_blocked", &mut board);
}

#[test]
fn down_before_the_regions_have_answered() {
    let mut board = TestDashboard::new(fixture::all_ready());
    board.press("D");
    pictures("down_asking", &mut board);
}

#[test]
fn down_shows_what_it_ends_and_what_it_leaves() {
    let mut board = TestDashboard::new(fixture::all_ready());
    board.press("D");
    board.model.fold(Update::DownPlan(Arc::new(plan(&board))));
    board.press("'termin'");
    pictures("down_plan", &mut board);
}

fn plan(board: &TestDashboard) -> DownPlan {
    let nodes = board.model.nodes_in_order();
    let instances = nodes.iter().take(4).filter_map(|node| node.instance.as_ref());
    let instance = |id: &str, name: &str| Instance {
        id: id.into(),
        state: InstanceState::Running,
        state_reason: None,
        instance_type: "r5.2xlarge".into(),
        zone: "us-west-2a".into(),
        private_ip: None,
        public_ip: None,
        launched: Some(fixture::at(3)),
        spot: false,
        ebs_root: true,
        launch_index: 0,
        token: None,
        tags: [(tags::NAME.to_owned(), name.to_owned())].into(),
    };
    let of_region = |region: &Region, id: &str, name: &str| (region.clone(), instance(id, name));
    let terminate =
        instances.map(|info| of_region(&info.region, info.id.as_str(), "ray-tpch-worker"));
    let foreign = of_region(&"eu-west-1".into(), "i-0aaaaaaaaaaaaaaaa", "ray-tpch-eu-head");
    let failure =
        Failure { code: Some("RequestExpired".into()), ..Failure::new("the request has expired") };
    DownPlan {
        terminate: terminate.collect(),
        foreign: vec![foreign],
        unknown: vec![("ap-southeast-2".into(), failure)],
        ..DownPlan::default()
    }
}

#[test]
fn quit_shows_what_is_under_way() {
    let mut board = TestDashboard::new(fixture::launching());
    board.press("q");
    pictures("quit_launching", &mut board);
}

#[test]
fn leaving_shows_what_it_waits_for() {
    let mut model = fixture::launching();
    model.ending = true;
    pictures("leaving", &mut TestDashboard::new(model));
}

#[test]
fn help_is_the_keymap() {
    let mut board = healthy();
    board.press("4 ?");
    pictures("help", &mut board);
}

#[test]
fn worlds_to_choose_from() {
    let mut board = healthy();
    let worlds = [
        ("mistakes", "three regions with the six classic mistakes in them"),
        ("healthy", "the same three regions, everything right: launch it"),
    ];
    board.model.simulated = true;
    board.model.scenarios =
        worlds.map(|(name, about)| (name.to_owned(), about.to_owned())).to_vec();
    board.model.scenario = Some("mistakes".into());
    board.press("w j");
    pictures("worlds", &mut board);
}
