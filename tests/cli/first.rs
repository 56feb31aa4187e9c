//! What a new user types first: nothing, `help`, and typos.

use crate::support::muster::Muster;

#[test]
fn without_a_project_two_lines_name_demo_and_init() {
    let ran = Muster::new().run::<&str>(&[]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    assert!(ran.err.contains("`muster demo`") && ran.err.contains("`muster init`"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn help_is_a_command_too() {
    let muster = Muster::new();
    let all = muster.run(&["help"]);
    assert_eq!((all.code, &all.out), (Some(0), &muster.run(&["--help"]).out));
    let up = muster.run(&["help", "up"]);
    assert_eq!((up.code, &up.out), (Some(0), &muster.run(&["up", "--help"]).out));
}

#[test]
fn typed_text_can_not_control_the_terminal() {
    let ran = Muster::new().run(&["check", "--aws-timeout", "\x1b]0;owned\x07\u{202e}"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains(r"\u{202e}"), "{:?}", ran.err);
    assert!(!ran.err.contains(['\x1b', '\x07', '\u{202e}']), "{:?}", ran.err);
}

/// Values of configs, AWS and nodes, on both streams and in both forms.
#[test]
fn a_hostile_config_can_not_control_the_terminal() {
    let muster = Muster::new();
    let hostile = r#""\e]0;owned\a\u202e\u0090\nerror: forged""#;
    muster.file("muster.yaml", format!("name: {hostile}\nregions: [us.yaml]\n"));
    muster.file("us.yaml", format!("cluster_name: {hostile}\n{hostile}: 1\nprovider: {hostile}\n"));
    for args in [&["check"][..], &["config"], &["check", "--format", "json"]] {
        let ran = muster.run(args);
        for text in [&ran.out, &ran.err] {
            let acts = |c: &char| *c != '\n' && (c.is_control() || *c == '\u{202e}');
            assert_eq!(text.chars().find(acts), None, "{args:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{text}");
        }
        assert!(ran.out.contains("owned") || ran.err.contains("owned"), "{args:?}: {ran:#?}");
    }
}
