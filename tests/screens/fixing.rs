//! The fix dialog: the plan, the changes under way, their result, and the keys.

use std::{path::Path, sync::Arc};

use muster::{
    check::Subject,
    cloud::{Change, Ref, StepId, Tags},
    config::{Source, edit},
    engine::{Command, Event, FixPlan, FixStep, Update},
    model::Failure,
    remedy::{self, Action, Plan, Problem, Rewrite, Step, Target, Unfixed, Written, describe},
    tui::{Dialog, Effect, Screen},
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

const IMAGE: &str = "ImageId: ami-0530ca8899fac469f\n";

fn step(slot: &str, action: Action, check: &'static str, region: &str) -> Step {
    let problem = Problem { check, subject: Subject::Region(region.into()) };
    Step { slot: StepId(slot.into()), action, after: Vec::new(), fixes: vec![problem] }
}

fn plan() -> Plan {
    let group = Change::CreateSecurityGroup {
        name: "muster-tpch-demo-group".into(),
        description: "nodes".into(),
        vpc: "vpc-0d2e3f4a5b6c71282".into(),
        tags: Tags::new(),
    };
    let tag = Change::CreateTags {
        resources: vec![Ref::Made(StepId("eu-west-1/group".into()))],
        tags: Tags::new(),
    };
    let target = Target::NodeConfig {
        file: Path::new("eu.yaml").into(),
        node_type: "ray.head.default".into(),
        key: "SecurityGroupIds",
    };
    let value = Written::List(vec![Ref::Made(StepId("eu-west-1/group".into()))]);
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
        left: vec![Unfixed {
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

fn broken() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    TestDashboard::new(model)
}

/// Returns a dashboard with a plan, requested by `F`.
fn planned() -> TestDashboard {
    let mut board = broken();
    let asked = board.press("F");
    assert_eq!(asked, [Effect::Send(Command::PlanFix(remedy::FixScope::default()))]);
    board.sends(&asked);
    board.model.fold(Update::FixPlan(Arc::new(shown())));
    board
}

/// Returns a dashboard with a confirmed plan, whose first step runs.
fn running() -> TestDashboard {
    let mut board = planned();
    let asked = board.press("C");
    assert_eq!(asked, [Effect::Send(Command::Fix(shown().plan))]);
    board.sends(&asked);
    let plan = plan();
    let steps = plan.steps.iter().map(|step| FixStep {
        slot: step.slot.clone(),
        region: step.region().cloned(),
        title: describe::title(step),
        effect: None,
    });
    fixture::event(&mut board.model, 5, Event::FixStarted { steps: steps.collect() });
    fixture::event(
        &mut board.model,
        5,
        Event::ChangeIntended { slot: StepId("eu-west-1/group".into()) },
    );
    board
}

fn done(board: &mut TestDashboard, slot: &str, made: Option<&str>) {
    let made = made.map(str::to_owned);
    fixture::event(&mut board.model, 6, Event::ChangeDone { slot: StepId(slot.into()), made });
}

#[test]
fn while_it_is_planned() {
    let mut board = broken();
    let asked = board.press("F");
    board.sends(&asked);
    pictures("fix_planning", &mut board);
}

#[test]
fn the_preview_shows_the_changes() {
    pictures("fix_plan", &mut planned());
}

#[test]
fn changes_under_way() {
    let mut board = running();
    done(&mut board, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    fixture::event(
        &mut board.model,
        6,
        Event::ChangeIntended { slot: StepId("eu-west-1/tags".into()) },
    );
    pictures("fix_progress", &mut board);
}

fn fixed() -> TestDashboard {
    let mut board = running();
    done(&mut board, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    done(&mut board, "eu-west-1/tags", None);
    done(&mut board, "configs", None);
    fixture::event(&mut board.model, 7, Event::FixEnded { done: 3, failed: 0, left: 0 });
    board.model.fold(Update::FixEnded { complete: true });
    fixture::healthy(&mut board.model);
    board
}

fn failed() -> TestDashboard {
    let mut board = running();
    let failure = Failure {
        code: Some("UnauthorizedOperation".into()),
        message: "CreateSecurityGroup in eu-west-1: You are not authorized".into(),
        hint: Some("ask for the missing IAM permission, or use another AWS_PROFILE".into()),
    };
    let slot = StepId("eu-west-1/group".into());
    fixture::event(&mut board.model, 6, Event::ChangeFailed { slot, failure, unresolved: false });
    fixture::event(&mut board.model, 7, Event::FixEnded { done: 0, failed: 1, left: 2 });
    board.model.fold(Update::FixEnded { complete: false });
    board
}

#[test]
fn all_changes_are_applied() {
    pictures("fix_done", &mut fixed());
}

#[test]
fn a_change_that_failed() {
    pictures("fix_failed", &mut failed());
}

/// The keys that the dialog names (`u`, `3`, `F`) work.
#[test]
fn the_keys_that_the_end_names_work_there() {
    let mut board = fixed();
    assert_eq!(board.press("u"), [], "it asks first");
    assert!(matches!(board.ui.dialog, Some(Dialog::Launch(_))), "{:?}", board.ui.dialog);
    let mut board = failed();
    assert_eq!(board.press("u"), [], "not while checks fail");
    assert!(matches!(board.ui.dialog, Some(Dialog::Fix(_))), "{:?}", board.ui.dialog);
    assert_eq!(board.press("3"), []);
    assert!(board.ui.dialog.is_none() && board.ui.screen == Screen::Preflight);
    assert!(matches!(failed().press("F").as_slice(), [Effect::Send(Command::PlanFix(_))]));
    assert_eq!(running().press("u 3 F"), [], "nor while changes are applied");
}

#[test]
fn fixes_are_shown_without_a_request() {
    let mut board = broken();
    board.model.fold(Update::FixPreview(Arc::new(plan())));
    pictures("overview_fixes", &mut board);
}

/// The list and the matrix follow the changes as they are applied.
#[test]
fn fixes_under_way() {
    let mut board = running();
    board.model.fold(Update::FixPreview(Arc::new(plan())));
    done(&mut board, "eu-west-1/group", Some("sg-0dd0eda7c19e7888b"));
    board.press("esc j j");
    assert!(board.text(80, 24).contains("▶ 1 of 3 changes made"), "{}", board.text(80, 24));
}

#[test]
fn nothing_changes_by_accident() {
    let mut board = planned();
    assert_eq!(board.press("enter"), [], "the harmless button has the focus");
    let mut board = planned();
    assert_eq!(board.press("c L u esc"), []);
    let mut board = planned();
    let asked = board.press("tab enter");
    assert_eq!(asked, [Effect::Send(Command::Fix(shown().plan))]);
}

#[test]
fn one_finding_is_fixed_alone() {
    let mut board = broken();
    let asked = board.press("f");
    let [Effect::Send(Command::PlanFix(scope))] = asked.as_slice() else {
        unreachable!("{asked:?}")
    };
    assert_eq!(scope.only.len(), 1, "{scope:?}");
}

#[test]
fn a_plan_that_can_not_be_made_shows_the_reason() {
    let mut board = broken();
    let asked = board.press("F");
    board.sends(&asked);
    board.model.fold(Update::Refused(Failure::new("AWS could not be asked")));
    assert!(board.text(80, 24).contains("AWS could not be asked"));
}

#[test]
fn where_nothing_fails_there_is_nothing_to_fix() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    let mut board = TestDashboard::new(model);
    assert_eq!(board.press("F f"), []);
}
