//! The dialogs as they look.

use std::sync::Arc;

use muster::{
    cloud::{Instance, InstanceState, tags},
    engine::{DownPlan, Update},
    model::{Failure, Region},
};

use super::{desk::Desk, fixture, pictures};

fn healthy() -> Desk {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    Desk::new(model)
}

#[test]
fn launch_where_nothing_speaks_against_it() {
    let mut desk = healthy();
    desk.press("u");
    pictures("launch_clear", &mut desk);
}

#[test]
fn launch_where_checks_fail() {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    let mut desk = Desk::new(model);
    desk.press("u 'any'");
    pictures("launch_blocked", &mut desk);
}

#[test]
fn down_before_the_regions_have_answered() {
    let mut desk = Desk::new(fixture::all_ready());
    desk.press("D");
    pictures("down_asking", &mut desk);
}

#[test]
fn down_shows_what_it_ends_and_what_it_leaves() {
    let mut desk = Desk::new(fixture::all_ready());
    desk.press("D");
    desk.model.fold(Update::DownPlan(Arc::new(plan(&desk))));
    desk.press("'termin'");
    pictures("down_plan", &mut desk);
}

fn plan(desk: &Desk) -> DownPlan {
    let nodes = desk.model.nodes_in_order();
    let machines = nodes.iter().take(4).filter_map(|node| node.instance.as_ref());
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
        machines.map(|info| of_region(&info.region, info.id.as_str(), "ray-tpch-worker"));
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
fn quit_says_what_goes_on() {
    let mut desk = Desk::new(fixture::rising());
    desk.press("q");
    pictures("quit_rising", &mut desk);
}

#[test]
fn leaving_says_what_it_waits_for() {
    let mut model = fixture::rising();
    model.ending = true;
    pictures("leaving", &mut Desk::new(model));
}

#[test]
fn help_is_the_keymap() {
    let mut desk = healthy();
    desk.press("4 ?");
    pictures("help", &mut desk);
}

#[test]
fn worlds_to_choose_from() {
    let mut desk = healthy();
    let worlds = [
        ("mistakes", "three regions with the six classic mistakes in them"),
        ("healthy", "the same three regions, everything right: launch it"),
    ];
    desk.model.simulated = true;
    desk.model.scenarios = worlds.map(|(name, about)| (name.to_owned(), about.to_owned())).to_vec();
    desk.model.scenario = Some("mistakes".into());
    desk.press("w j");
    pictures("worlds", &mut desk);
}
