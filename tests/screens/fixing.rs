//! Mending: the plan, the changes under way, their end, and what keys do.

use std::{path::Path, sync::Arc};

use muster::{
    check::Subject,
    cloud::{Change, Ref, Slot, Tags},
    config::{Source, edit},
    engine::{Command, Event, FixPlan, FixStep, Update},
    model::Failure,
    remedy::{self, Action, Left, Plan, Problem, Rewrite, Step, Target, Written, describe},
    tui::{Dialog, Effect, Screen},
};

use super::{desk::Desk, fixture, pictures};

const IMAGE: &str = "ImageId: ami-0530ca8899fac469f\n";

fn step(slot: &str, action: Action, check: &'static str, region: &str) -> Step {
    let problem = Problem { check, subject: Subject::Region(region.into()) };
    Step { slot: Slot(slot.into()), action, after: Vec::new(), mends: vec![problem] }
}

fn plan() -> Plan {
    let group = Change::CreateSecurityGroup {
        name: "muster-tpch-demo-group".into(),
        description: "nodes".into(),
        vpc: "vpc-0d2e3f4a5b6c71282".into(),
        tags: Tags::new(),
    };
    let tag = Change::CreateTags {
        resources: vec![Ref::Made(Slot("eu-west-1/group".into()))],
        tags: Tags::new(),
    };
    let target = Target::NodeConfig {
        file: Path::new("eu.yaml").into(),
        node_type: "ray.head.default".into(),
        key: "SecurityGroupIds",
    };
    let value = Written::List(vec![Ref::Made(Slot("eu-west-1/group".into()))]);
    let at = |change| Action::Change { region: "eu-west-1".into(), change };
    Plan {
        steps: vec![
            step("eu-west-1/group", at(group), "sg.same-vpc", "eu-west-1"),
            step("eu-west-1/tags", at(tag), "sg.same-vpc", "eu-west-1"),
            step(
                "configs",
                Action::Rewrite(vec![Rewrite { target, value }]),
                "sg.same-vpc",
                "eu-west-1",
            ),
        ],
        left: vec![Left {
            problem: Problem { check: "iam.launch", subject: Subject::Region("us-west-2".into()) },
            why: "ask for the missing IAM permission, or use another AWS_PROFILE".into(),
        }],
        unrecorded: Vec::new(),
        surplus: Vec::new(),
        full_groups: Vec::new(),
    }
}

fn shown() -> FixPlan {
    let source = Source { path: Path::new("eu.yaml").into(), text: IMAGE.into() };
    let new = IMAGE.replace("ami-0530ca8899fac469f", "ami-07c1207a9d40bc3bd");
    let diffs = vec![edit::diff(source.path, Vec::new(), IMAGE, &new)];
    FixPlan { plan: Arc::new(plan()), diffs }
}

fn broken() -> Desk {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    Desk::new(model)
}

/// The plan is there, asked for by `F`.
fn planned() -> Desk {
    let mut desk = broken();
    let asked = desk.press("F");
    assert_eq!(asked, [Effect::Send(Command::PlanFix(remedy::Wish::default()))]);
    desk.sends(&asked);
    desk.model.fold(Update::FixPlan(Arc::new(shown())));
    desk
}

/// The plan was confirmed, and its first step runs.
fn running() -> Desk {
    let mut desk = planned();
    let asked = desk.press("C");
    assert_eq!(asked, [Effect::Send(Command::Fix(shown().plan))]);
    desk.sends(&asked);
    let plan = plan();
    let steps = plan.steps.iter().map(|step| FixStep {
        slot: step.slot.clone(),
        region: step.region().cloned(),
        title: describe::title(step),
        effect: None,
    });
    fixture::event(&mut desk.model, 5, Event::FixStarted { steps: steps.collect() });
    fixture::event(
        &mut desk.model,
        5,
        Event::ChangeIntended { slot: Slot("eu-west-1/group".into()) },
    );
    desk
}

fn done(desk: &mut Desk, slot: &str, made: Option<&str>) {
    let made = made.map(str::to_owned);
    fixture::event(&mut desk.model, 6, Event::ChangeDone { slot: Slot(slot.into()), made });
}

#[test]
fn while_it_is_planned() {
    let mut desk = broken();
    let asked = desk.press("F");
    desk.sends(&asked);
    pictures("fix_planning", &mut desk);
}

#[test]
fn what_would_be_changed() {
    pictures("fix_plan", &mut planned());
}

#[test]
fn changes_under_way() {
    let mut desk = running();
    done(&mut desk, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    fixture::event(
        &mut desk.model,
        6,
        Event::ChangeIntended { slot: Slot("eu-west-1/tags".into()) },
    );
    pictures("fix_progress", &mut desk);
}

fn mended() -> Desk {
    let mut desk = running();
    done(&mut desk, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    done(&mut desk, "eu-west-1/tags", None);
    done(&mut desk, "configs", None);
    fixture::event(&mut desk.model, 7, Event::FixEnded { done: 3, failed: 0, left: 0 });
    desk.model.fold(Update::FixEnded { complete: true });
    fixture::healthy(&mut desk.model);
    desk
}

fn failed() -> Desk {
    let mut desk = running();
    let failure = Failure {
        code: Some("UnauthorizedOperation".into()),
        message: "CreateSecurityGroup in eu-west-1: You are not authorized".into(),
        hint: Some("ask for the missing IAM permission, or use another AWS_PROFILE".into()),
    };
    let slot = Slot("eu-west-1/group".into());
    fixture::event(&mut desk.model, 6, Event::ChangeFailed { slot, failure, unresolved: false });
    fixture::event(&mut desk.model, 7, Event::FixEnded { done: 0, failed: 1, left: 2 });
    desk.model.fold(Update::FixEnded { complete: false });
    desk
}

#[test]
fn all_changes_are_made() {
    pictures("fix_done", &mut mended());
}

#[test]
fn a_change_that_failed() {
    pictures("fix_failed", &mut failed());
}

/// The dialog says `u launches`, `3 shows them`, `F goes on`: so they do.
#[test]
fn the_keys_that_the_end_names_work_there() {
    let mut desk = mended();
    assert_eq!(desk.press("u"), [], "it asks first");
    assert!(matches!(desk.ui.dialog, Some(Dialog::Launch(_))), "{:?}", desk.ui.dialog);
    let mut desk = failed();
    assert_eq!(desk.press("u"), [], "not while checks fail");
    assert!(matches!(desk.ui.dialog, Some(Dialog::Fix(_))), "{:?}", desk.ui.dialog);
    assert_eq!(desk.press("3"), []);
    assert!(desk.ui.dialog.is_none() && desk.ui.screen == Screen::Preflight);
    assert!(matches!(failed().press("F").as_slice(), [Effect::Send(Command::PlanFix(_))]));
    assert_eq!(running().press("u 3 F"), [], "nor while changes are made");
}

#[test]
fn cures_are_shown_before_anybody_asks() {
    let mut desk = broken();
    desk.model.fold(Update::Cures(Arc::new(plan())));
    pictures("overview_cures", &mut desk);
}

/// The list and the matrix follow the changes as they are made.
#[test]
fn cures_under_way() {
    let mut desk = running();
    desk.model.fold(Update::Cures(Arc::new(plan())));
    done(&mut desk, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    desk.press("esc j j");
    assert!(desk.text(80, 24).contains("▶ 1 of 3 changes made"), "{}", desk.text(80, 24));
}

#[test]
fn nothing_is_changed_by_accident() {
    let mut desk = planned();
    assert_eq!(desk.press("enter"), [], "the harmless button has the focus");
    let mut desk = planned();
    assert_eq!(desk.press("c L u esc"), []);
    let mut desk = planned();
    let asked = desk.press("tab enter");
    assert_eq!(asked, [Effect::Send(Command::Fix(shown().plan))]);
}

#[test]
fn one_finding_is_mended_alone() {
    let mut desk = broken();
    let asked = desk.press("f");
    let [Effect::Send(Command::PlanFix(wish))] = asked.as_slice() else {
        unreachable!("{asked:?}")
    };
    assert_eq!(wish.only.len(), 1, "{wish:?}");
}

#[test]
fn a_plan_that_can_not_be_made_says_why() {
    let mut desk = broken();
    let asked = desk.press("F");
    desk.sends(&asked);
    desk.model.fold(Update::Refused(Failure::new("AWS could not be asked")));
    assert!(desk.text(80, 24).contains("AWS could not be asked"));
}

#[test]
fn where_nothing_fails_there_is_nothing_to_mend() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    let mut desk = Desk::new(model);
    assert_eq!(desk.press("F f"), []);
}
