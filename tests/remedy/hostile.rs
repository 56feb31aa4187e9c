//! Whatever texts a plan contains, its script passes them to `aws` as they are, never
//! as a command, an option, or a file to read.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use muster::{
    check::Subject,
    cloud::{Change, InboundRule, PortRange, PublicKey, Ref, Source, StepId, Tags, Via},
    model::Failure,
    remedy::{self, Action, Plan, Problem, Rewrite, Step, Target, Unfixed, Until, Written},
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

/// Generates texts as found in configs, and texts of attackers.
fn texts() -> impl Strategy<Value = String> {
    let known = [
        "\u{e000}x\u{e000}",
        "\u{e000}",
        "$(touch pwned)",
        "`touch pwned`",
        "'; touch pwned; '",
        "\"; touch pwned; \"",
        "file:///etc/passwd",
        "fileb:///etc/passwd",
        "https://example.com/",
        "--debug",
        "-",
        "",
        " ",
        "a\nb",
        "\r\n",
        "\\",
        "\\u0041",
        "$HOME",
        "${tmp}",
        "Key=a,Value=b",
        "[1]",
        "{}",
        "\u{202e}evil",
        "\u{1b}]0;title\u{7}",
        "\u{9b}2J",
        "EOF",
        "é",
        "\u{10ffff}",
        "%s",
        "*",
        "~",
        "#",
        "!",
        "\t",
        "null",
        "\u{fffe}",
        "\u{2028}",
    ];
    let random = proptest::collection::vec(
        prop_oneof![any::<char>(), select(vec!['\'', '"', '`', '$', '\\', '\n', '\u{e000}', ' '])],
        0..12,
    )
    .prop_map(|all| all.into_iter().filter(|c| *c != '\0').collect::<String>());
    prop_oneof![select(known.to_vec()).prop_map(str::to_owned), random]
}

/// A call, and the arguments that `aws` must receive.
struct Expected {
    change: Change,
    at: Vec<(&'static str, String)>,
}

fn calls(texts: &[String; 4]) -> Vec<Expected> {
    let [a, b, c, d] = texts.clone();
    let id = |text: &String| Ref::Id(text.clone());
    let made = || Ref::Made(slot(0));
    let tags = || Tags::from([(b.clone(), c.clone())]);
    let tagged = |key, value| vec![(key, b.clone()), (value, c.clone())];
    let (key, value) = ("/TagSpecifications/0/Tags/0/Key", "/TagSpecifications/0/Tags/0/Value");
    let rule = |source| InboundRule {
        ports: PortRange { from: 5005, to: 5005 },
        source,
        description: d.clone(),
    };
    let cidr = "10.1.0.0/16".parse().unwrap();
    let with = |change, at: Vec<(&'static str, &String)>, more: Vec<(&'static str, String)>| {
        let at = at.into_iter().map(|(place, text)| (place, text.clone())).chain(more).collect();
        Expected { change, at }
    };
    let public_key = PublicKey { algorithm: "ssh-ed25519".into(), base64: "AAAA+/=".into() };
    vec![
        with(
            Change::CreateSecurityGroup {
                name: a.clone(),
                description: d.clone(),
                vpc: id(&b),
                tags: tags(),
            },
            vec![("/GroupName", &a), ("/Description", &d), ("/VpcId", &b)],
            tagged(key, value),
        ),
        with(
            Change::AuthorizeIngress {
                group: made(),
                rules: vec![rule(Source::Cidr(cidr)), rule(Source::Group(id(&a)))],
                tags: tags(),
            },
            vec![
                ("/IpPermissions/0/IpRanges/0/Description", &d),
                ("/IpPermissions/1/UserIdGroupPairs/0/GroupId", &a),
                ("/IpPermissions/1/UserIdGroupPairs/0/Description", &d),
            ],
            vec![("/GroupId", "vpc-0a1b".into())],
        ),
        with(
            Change::ImportKeyPair { name: a.clone().into(), public_key, tags: tags() },
            vec![("/KeyName", &a)],
            tagged(key, value),
        ),
        with(
            Change::CopyImage {
                name: a.clone(),
                image: b.clone().into(),
                from: c.clone().into(),
                token: d.clone(),
                tags: tags(),
            },
            vec![
                ("/Name", &a),
                ("/SourceImageId", &b),
                ("/SourceRegion", &c),
                ("/ClientToken", &d),
            ],
            tagged(key, value),
        ),
        with(
            Change::CreateSubnet { vpc: id(&a), zone: d.clone().into(), cidr, tags: tags() },
            vec![("/VpcId", &a), ("/AvailabilityZone", &d)],
            tagged(key, value),
        ),
        with(
            Change::CreatePeering {
                vpc: id(&a),
                peer_region: d.clone().into(),
                peer_vpc: id(&c),
                tags: tags(),
            },
            vec![("/VpcId", &a), ("/PeerRegion", &d), ("/PeerVpcId", &c)],
            tagged(key, value),
        ),
        with(
            Change::CreateRoute { table: id(&a), destination: cidr, via: Via::Peering(id(&d)) },
            vec![("/RouteTableId", &a), ("/VpcPeeringConnectionId", &d)],
            Vec::new(),
        ),
        with(
            Change::CreateTags { resources: vec![id(&a), id(&d)], tags: tags() },
            vec![("/Resources/0", &a), ("/Resources/1", &d)],
            tagged("/Tags/0/Key", "/Tags/0/Value"),
        ),
        with(Change::MapPublicIp { subnet: id(&a) }, vec![("/SubnetId", &a)], Vec::new()),
    ]
}

fn slot(number: usize) -> StepId {
    StepId(format!("us-west-2/step-{number}"))
}

fn step(slot: StepId, action: Action) -> Step {
    Step { slot, action, after: Vec::new(), fixes: Vec::new() }
}

/// Returns a plan with the texts in every place that accepts one.
fn plan(texts: &[String; 4]) -> Plan {
    let [a, b, c, d] = texts.clone();
    let region = || "us-west-2".into();
    let numbered = (0..).zip(calls(texts));
    let mut steps: Vec<_> = numbered
        .map(|(number, Expected { change, .. })| {
            step(slot(number), Action::Change { region: region(), change })
        })
        .collect();
    let peering = Ref::Id(a.clone());
    let until = Until::PeeringActive { peering, vpc: Ref::Id(b.clone()) };
    steps.push(step(StepId(c.clone()), Action::Wait { region: region(), until }));
    let rewrite = Rewrite {
        target: Target::NodeConfig { file: Path::new(&a).into(), node_type: b, key: "ImageId" },
        value: Written::List(vec![Ref::Id(c), Ref::Made(slot(0))]),
    };
    steps.push(step(StepId(d.clone()), Action::Rewrite(vec![rewrite])));
    let problem = Problem { check: "key.exists", subject: Subject::Region(a.into()) };
    Plan { steps, left: vec![Unfixed { problem, why: d }], ..Plan::default() }
}

/// What the stub `aws` received: the arguments of each call.
struct Ran {
    calls: Vec<Vec<String>>,
    out: String,
}

/// Runs the script with a stub in place of `aws`, in an empty folder.
fn run(script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("bin")).unwrap();
    fs::create_dir_all(path("work")).unwrap();
    let stub = "#!/bin/sh\nprintf '%s\\0' \"$#\" \"$@\" >>\"$AWS_STUB_LOG\"\n\
                case $2 in describe-*) echo active ;; *) echo vpc-0a1b ;; esac\n";
    fs::write(path("bin/aws"), stub).unwrap();
    fs::set_permissions(path("bin/aws"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(path("fix.sh"), script).unwrap();
    let paths = format!("{}:/usr/bin:/bin", path("bin").display());
    let mut sh = Command::new("sh");
    sh.env_clear()
        .env("PATH", paths)
        .env("TMPDIR", folder.path())
        .env("AWS_STUB_LOG", path("log"))
        .current_dir(path("work"))
        .stdin(Stdio::null());
    let checked = Command::new("sh").arg("-n").arg(path("fix.sh")).output().unwrap();
    assert!(checked.status.success(), "{checked:?}\n{script}");
    let ran = sh.arg(path("fix.sh")).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}\n{script}");
    assert_eq!(fs::read_dir(path("work")).unwrap().count(), 0, "{script}");
    let log = String::from_utf8(fs::read(path("log")).unwrap_or_default()).unwrap();
    let mut words = log.split_terminator('\0').map(str::to_owned);
    let mut calls = Vec::new();
    while let Some(count) = words.next() {
        calls.push(words.by_ref().take(count.parse().unwrap()).collect());
    }
    Ran { calls, out: String::from_utf8(ran.stdout).unwrap() }
}

fn input(call: &[String]) -> Value {
    let at = call.iter().position(|word| word == "--cli-input-json").unwrap();
    serde_json::from_str(&call[at + 1]).unwrap()
}

#[test]
fn any_text_reaches_aws_as_it_is() {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let texts = [texts(), texts(), texts(), texts()];
    let outcome = TestRunner::new(config).run(&texts, |texts| {
        let script = remedy::script(&plan(&texts), &texts[0]).unwrap();
        let acts =
            |c: char| (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c);
        prop_assert!(!script.contains(acts), "{script:?}");
        let ran = run(&script);
        let expected = calls(&texts);
        prop_assert_eq!(ran.calls.len(), expected.len() + 1);
        for (call, Expected { at, .. }) in ran.calls.iter().zip(expected) {
            let input = input(call);
            for (place, text) in at {
                let seen = input.pointer(place).and_then(Value::as_str);
                prop_assert_eq!(seen, Some(text.as_str()), "{}: {}", place, input);
            }
        }
        let waited = input(ran.calls.last().unwrap());
        prop_assert_eq!(&waited["VpcPeeringConnectionIds"][0], &Value::from(texts[0].as_str()));
        prop_assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        prop_assert!(ran.out.ends_with(", vpc-0a1b]\n"), "{}", ran.out);
        Ok(())
    });
    outcome.unwrap();
}

fn refusal(change: Change, region: &str) -> Failure {
    let action = Action::Change { region: region.into(), change };
    let plan = Plan { steps: vec![step(slot(0), action)], ..Plan::default() };
    remedy::script(&plan, "tpch").unwrap_err()
}

#[test]
fn values_that_aws_would_interpret_are_refused() {
    let vpc = || Change::DeleteVpc { vpc: Ref::Id("vpc-1".into()) };
    for region in ["--debug", "file:///etc/passwd", "us west", ""] {
        let failure = refusal(vpc(), region);
        assert!(failure.message.contains("is not the name of a region"), "{failure}");
    }
    let public_key = PublicKey { algorithm: "ssh-rsa".into(), base64: "A\u{1b}A".into() };
    let import = Change::ImportKeyPair { name: "q".into(), public_key, tags: Tags::new() };
    assert!(refusal(import, "us-west-2").message.contains("public key"));
}

/// Answers of EC2 become part of later calls.
#[test]
fn an_answer_that_is_not_an_id_ends_the_script() {
    let steps = vec![step(
        slot(0),
        Action::Change {
            region: "us-west-2".into(),
            change: Change::CreateInternetGateway { tags: Tags::new() },
        },
    )];
    let script = remedy::script(&Plan { steps, ..Plan::default() }, "tpch").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join("aws");
    fs::write(&aws, "#!/bin/sh\necho 'igw-1\"},{'\n").unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("not an id: igw-1"), "{ran:?}");
}
