//! Every style in which a value can be written, before and after.

use super::{applied, at, config, edit, list, of_type, text, top};
use muster::config::edit::{Edit, Target, Value};

/// Sets `key` of the node type `t`.
fn check(table: &[(&str, &str, &'static str, Value)]) {
    for (before, after, key, value) in table {
        let (before, after) = (config(before), config(after));
        let new = applied(&before, &[of_type("t", key, value.clone())]);
        assert_eq!(new.as_deref(), Ok(after.as_str()), "{key} in\n{before}");
    }
}

#[test]
fn a_scalar_keeps_its_style_and_what_stands_around_it() {
    check(&[
        ("\n      KeyName: old", "\n      KeyName: new", "KeyName", text("new")),
        ("\n      KeyName: old # mine", "\n      KeyName: new # mine", "KeyName", text("new")),
        ("\n      KeyName:   old  ", "\n      KeyName:   new  ", "KeyName", text("new")),
        ("\n      KeyName: 'old'", "\n      KeyName: 'it''s'", "KeyName", text("it's")),
        ("\n      KeyName: \"old\"", "\n      KeyName: \"a\\\"b\"", "KeyName", text("a\"b")),
        ("\n      KeyName: old", "\n      KeyName: \"0777\"", "KeyName", text("0777")),
        ("\n      KeyName: 12", "\n      KeyName: new", "KeyName", text("new")),
        ("\n      KeyName: old", "\n      KeyName: 東京", "KeyName", text("東京")),
        ("\n      \"KeyName\": old", "\n      \"KeyName\": new", "KeyName", text("new")),
        ("\n      KeyName:\n        old", "\n      KeyName:\n        new", "KeyName", text("new")),
        ("\n      KeyName: old\n        er", "\n      KeyName: new", "KeyName", text("new")),
        ("\n      KeyName: \"ol\n        d\"", "\n      KeyName: \"new\"", "KeyName", text("new")),
        ("\n      KeyName: !!str 12", "\n      KeyName: !!str new", "KeyName", text("new")),
        ("\n      KeyName: &k old", "\n      KeyName: &k new", "KeyName", text("new")),
        (" {KeyName: old, A: b}", " {KeyName: new, A: b}", "KeyName", text("new")),
        (" {KeyName: old}", " {KeyName: \"a,b\"}", "KeyName", text("a,b")),
        (" {\"KeyName\":\"old\"}", " {\"KeyName\":\"new\"}", "KeyName", text("new")),
        (" { 東京: 値, KeyName: old }", " { 東京: 値, KeyName: new }", "KeyName", text("new")),
        ("\n      KeyName: same", "\n      KeyName: same", "KeyName", text("same")),
        ("\n      KeyName: \"same\"", "\n      KeyName: \"same\"", "KeyName", text("same")),
    ]);
}

#[test]
fn a_key_without_a_value_gets_one() {
    check(&[
        ("\n      KeyName:", "\n      KeyName: new", "KeyName", text("new")),
        ("\n      KeyName: # none", "\n      KeyName: new # none", "KeyName", text("new")),
        (
            "\n      KeyName:\n      A: b",
            "\n      KeyName: new\n      A: b",
            "KeyName",
            text("new"),
        ),
        ("\n      KeyName: ~", "\n      KeyName: new", "KeyName", text("new")),
        ("\n      KeyName: \"\"", "\n      KeyName: \"new\"", "KeyName", text("new")),
        (" {KeyName: , A: b}", " {KeyName: new , A: b}", "KeyName", text("new")),
        ("\n      SubnetIds:", "\n      SubnetIds: [a, b]", "SubnetIds", list(&["a", "b"])),
        ("\n      SubnetIds: []", "\n      SubnetIds: [a, b]", "SubnetIds", list(&["a", "b"])),
    ]);
}

#[test]
fn a_key_that_is_absent_is_put_where_it_belongs() {
    check(&[
        (
            "\n      InstanceType: m # big",
            "\n      InstanceType: m # big\n      KeyName: new",
            "KeyName",
            text("new"),
        ),
        (
            "\n            A: {b: c}\n            ImageId: ami",
            "\n            A: {b: c}\n            ImageId: ami\n            KeyName: new",
            "KeyName",
            text("new"),
        ),
        (
            "\n      UserData: |\n        text\n      A:\n        - b\n      C: d\n\n      E: f",
            "\n      UserData: |\n        text\n      A:\n        - b\n      C: d\n      KeyName: new\n\n      E: f",
            "KeyName",
            text("new"),
        ),
        (
            "\n      # the disk\n      A:\n        B: c",
            "\n      # the disk\n      KeyName: new\n      A:\n        B: c",
            "KeyName",
            text("new"),
        ),
        (" {InstanceType: m}", " {InstanceType: m, KeyName: new}", "KeyName", text("new")),
        (" {InstanceType: m,}", " {InstanceType: m, KeyName: new,}", "KeyName", text("new")),
        (" {A: [b]}", " {A: [b], KeyName: new}", "KeyName", text("new")),
        (" {A: }", " {KeyName: new, A: }", "KeyName", text("new")),
        (" {}", " {KeyName: new}", "KeyName", text("new")),
        (
            " {\n      A: b # the b\n    }",
            " {\n      A: b, KeyName: new # the b\n    }",
            "KeyName",
            text("new"),
        ),
        (
            "\n      ImageId: ami",
            "\n      ImageId: ami\n      SecurityGroupIds: [sg-1]",
            "SecurityGroupIds",
            text("sg-1"),
        ),
    ]);
}

#[test]
fn of_a_list_only_what_differs_changes() {
    let lines = "\n      SubnetIds:\n        - a # the a\n        - b # the b\n        - c";
    let quoted = "\n      SubnetIds:\n      -   'a'\n      -   'b'";
    let over_lines = " {SubnetIds: [\n      a, # the a\n      b # the b\n    ]}";
    check(&[
        (lines, &lines.replace("- b", "- x"), "SubnetIds", list(&["a", "x", "c"])),
        (lines, &lines.replace("        - b # the b\n", ""), "SubnetIds", list(&["a", "c"])),
        (lines, &lines.replace("        - a # the a\n", ""), "SubnetIds", list(&["b", "c"])),
        (lines, &lines.replace("\n        - c", ""), "SubnetIds", list(&["a", "b"])),
        (lines, &format!("{lines}\n        - d"), "SubnetIds", list(&["a", "b", "c", "d"])),
        (
            lines,
            &lines.replace("# the a", "# the a\n        - x\n        - y"),
            "SubnetIds",
            list(&["a", "x", "y", "b", "c"]),
        ),
        (
            lines,
            &lines.replace("        - a", "        - x\n        - a"),
            "SubnetIds",
            list(&["x", "a", "b", "c"]),
        ),
        (quoted, &format!("{quoted}\n      -   'c'"), "SubnetIds", list(&["a", "b", "c"])),
        (over_lines, &over_lines.replace("b #", "x #"), "SubnetIds", list(&["a", "x"])),
        (over_lines, &over_lines.replace("b #", "b, c #"), "SubnetIds", list(&["a", "b", "c"])),
        (over_lines, &over_lines.replace("b # the b", " # the b"), "SubnetIds", list(&["a"])),
        (" {SubnetIds: [a, b]}", " {SubnetIds: [b]}", "SubnetIds", list(&["b"])),
        (" {SubnetIds: [a, b]}", " {SubnetIds: [a]}", "SubnetIds", list(&["a"])),
        (" {SubnetIds: [a, b]}", " {SubnetIds: [c]}", "SubnetIds", list(&["c"])),
        (" {SubnetIds: [a]}", " {SubnetIds: [x, y, z]}", "SubnetIds", list(&["x", "y", "z"])),
        (" {SubnetIds: [ 'a' ]}", " {SubnetIds: [ 'a', 'b' ]}", "SubnetIds", list(&["a", "b"])),
        (" {SubnetIds: [b]}", " {SubnetIds: [a, b]}", "SubnetIds", list(&["a", "b"])),
    ]);
}

#[test]
fn one_subnet_and_several_are_one_matter() {
    check(&[
        (" {SubnetId: a}", " {SubnetId: b}", "SubnetIds", list(&["b"])),
        (" {SubnetId: a}", " {SubnetIds: [b, c]}", "SubnetIds", list(&["b", "c"])),
        (
            "\n      \"SubnetId\": a # one",
            "\n      \"SubnetIds\": [b, c] # one",
            "SubnetIds",
            list(&["b", "c"]),
        ),
        (
            "\n      SubnetIds:\n        - a",
            "\n      SubnetIds:\n        - b",
            "SubnetId",
            text("b"),
        ),
        (" {A: b}", " {A: b, SubnetId: c}", "SubnetId", text("c")),
    ]);
}

#[test]
fn the_project_file_gets_its_keys() {
    let yaml = "# ours\nname: demo # the name\nregions:\n  - us.yaml\n";
    let new = applied(yaml, &[top("key_name", text("quokka"))]).unwrap();
    assert_eq!(new, yaml.replace("# the name\n", "# the name\nkey_name: quokka\n"));
    let changed = applied(&new, &[top("key_name", text("other"))]).unwrap();
    assert_eq!(changed, new.replace("quokka", "other"));
    let edits = [top("operator_cidr", text("203.0.113.7/32")), top("security_group", text("sg-1"))];
    let both = applied(yaml, &edits).unwrap();
    let added = "# the name\noperator_cidr: 203.0.113.7/32\nsecurity_group: sg-1\n";
    assert_eq!(both, yaml.replace("# the name\n", added));
}

#[test]
fn line_ends_and_what_ends_the_file_stay() {
    let yaml = "\u{feff}name: demo\r\nregions: [a]\r\nkey_name: old # é";
    let edits = [top("key_name", text("new")), top("operator_cidr", text("1.2.3.4/32"))];
    let new = applied(yaml, &edits).unwrap();
    let lines =
        "\u{feff}name: demo\r\nregions: [a]\r\nkey_name: new # é\r\noperator_cidr: 1.2.3.4/32";
    assert_eq!(new, lines);
}

#[test]
fn a_place_is_found_by_characters_not_bytes() {
    let yaml = "a: {値: 東京, b: old, c: [one, two]} # 値\n";
    let edits = [at(yaml, "old", text("neu")), at(yaml, "two", text("zwei"))];
    let new = applied(yaml, &edits).unwrap();
    assert_eq!(new, "a: {値: 東京, b: neu, c: [one, zwei]} # 値\n");
    let quoted = "a: 'it''s'\n";
    let new = applied(quoted, &[at(quoted, "'it''s'", list(&["that's"]))]);
    assert_eq!(new.unwrap(), "a: 'that''s'\n");
}

const SHARED: &str = "available_node_types:
  head: {node_config: &node {KeyName: &key old, ImageId: ami}}
  worker: {node_config: *node}
  other:
    node_config:
      <<: *node
      ImageId: own
  more: {node_config: {KeyName: *key}}
";

#[test]
fn a_shared_value_is_changed_at_its_definition() {
    let new = applied(SHARED, &[at(SHARED, "old", text("new"))]).unwrap();
    assert_eq!(new, SHARED.replace("old", "new"));
    let all = ["head", "worker", "other", "more"];
    let edits = all.map(|name| of_type(name, "KeyName", text("new")));
    assert_eq!(applied(SHARED, &edits).unwrap(), new);
    let two = ["head", "worker"].map(|name| of_type(name, "ImageId", text("new")));
    assert_eq!(applied(SHARED, &two).unwrap(), SHARED.replace("ami", "new"));
}

#[test]
fn a_shared_value_is_overridden_where_only_one_user_changes() {
    let alone = |name: &str| applied(SHARED, &[of_type(name, "KeyName", text("new"))]).unwrap();
    assert_eq!(alone("more"), SHARED.replace("*key", "new"));
    let own = "      ImageId: own\n      KeyName: new\n";
    assert_eq!(alone("other"), SHARED.replace("      ImageId: own\n", own));
}

#[test]
fn the_same_edit_twice_is_one() {
    let yaml = config(" {KeyName: old}");
    let once = of_type("t", "KeyName", text("new"));
    let by_place = edit(Target::At(super::place(&yaml, "old")), text("new"));
    let edits: [Edit; 3] = [once.clone(), once, by_place];
    assert_eq!(applied(&yaml, &edits).unwrap(), yaml.replace("old", "new"));
}
