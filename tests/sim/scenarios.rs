//! Scenario texts: valid and invalid ones.

use muster::sim::Scenario;

#[test]
fn every_built_in_scenario_is_sound_and_listed_with_its_own_summary() {
    for (name, summary) in Scenario::names() {
        let scenario = Scenario::built_in(name).unwrap();
        assert_eq!((scenario.name(), scenario.summary()), (*name, *summary));
    }
    assert!(Scenario::built_in("nonsense").is_none());
    assert!(Scenario::scale(99, 1).is_err());
}

#[test]
fn a_wrong_scenario_is_refused_with_its_place() {
    let parse = |text: &str| Scenario::parse(text).unwrap_err().to_string();
    let unknown = parse("summary = \"x\"\nspeeed = 2\n");
    assert!(unknown.contains("line 2") && unknown.contains("speeed"), "{unknown}");
    let extended = parse("summary = \"x\"\nextends = \"healthy\"\n[boot]\nssh_s = \"soon\"\n");
    assert!(extended.contains("line 4"), "{extended}");
    let nowhere = parse("summary = \"x\"\nextends = \"nonsense\"\n");
    assert!(nowhere.contains("nonsense"), "{nowhere}");
    let dangling = parse(
        "summary = \"x\"\n[regions.a-b-1]\nzones = [\"a\"]\n[[regions.a-b-1.subnets]]\n\
         id = \"subnet-1\"\nvpc = \"vpc-1\"\nzone = \"a-b-1z\"\ncidr = \"10.0.0.0/24\"\n",
    );
    assert!(dangling.contains("no VPC vpc-1") && dangling.contains("no zone a-b-1z"), "{dangling}");
}

#[test]
fn every_built_in_scenario_has_a_project_without_a_complaint() {
    for (name, _) in Scenario::names() {
        let loaded = Scenario::built_in(name).unwrap().load_project();
        assert_eq!(loaded.diagnostics, [], "{name}");
        let project = loaded.project.unwrap();
        assert_eq!((&**project.name, project.planned_nodes().len()), ("tpch-demo", 9), "{name}");
    }
    let loaded = Scenario::scale(10, 100).unwrap().load_project();
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.project.unwrap().planned_nodes().len(), 1000);
}
