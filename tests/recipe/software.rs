//! Packages and Python.

use std::{fs, path::Path, process::Command};

use muster::remote::Exit;

use super::node::{AMAZON_2023, DEBIAN_12, Node, UBUNTU_22, UBUNTU_24};

const MANAGERS: [&str; 2] = ["apt-get", "dnf"];

/// Asserts what is installed on a leader, and that the second run installs nothing.
async fn packages(system: &str, expected: &[&str]) {
    let node = Node::start(system).await;
    node.good("packages", &[]).await;
    assert_eq!(node.calls_of(&MANAGERS), expected, "{system}");
    let output = node.good("packages", &[]).await;
    assert_eq!(node.calls_of(&MANAGERS), [""; 0], "{system}: the second time");
    assert!(output.contains("already there"), "{output}");
    let member = [("MUSTER_NODE", "us-west-2/worker-1")];
    node.good("packages", &member).await;
    assert_eq!(node.calls_of(&MANAGERS), [""; 0], "{system}: a member needs no more");
}

const BY_APT: [&str; 2] = [
    "apt-get -q update",
    "apt-get -q -y -o DPkg::Lock::Timeout=60 install python3 python3-venv nftables redis-server",
];

#[tokio::test]
async fn ubuntu_and_debian_get_their_packages_by_apt() {
    for system in [UBUNTU_22, UBUNTU_24, DEBIAN_12] {
        packages(system, &BY_APT).await;
    }
}

#[tokio::test]
async fn amazon_linux_gets_its_packages_by_dnf() {
    let expected = ["dnf -q -y --setopt=exit_on_lock=True install python3 nftables redis6"];
    packages(AMAZON_2023, &expected).await;
}

#[tokio::test]
async fn another_system_is_refused_with_what_to_do() {
    for (system, word) in [("ID=amzn\nVERSION_ID=2\n", "too old"), ("ID=arch\n", "setup_commands")]
    {
        let node = Node::start(system).await;
        let (output, exit) = node.run("packages", &[]).await;
        assert_eq!(exit, Exit::Status(1), "{output}");
        assert!(output.contains(word), "{output}");
        assert_eq!(node.calls_of(&MANAGERS), [""; 0]);
    }
}

#[tokio::test]
async fn a_lock_that_is_held_is_waited_for() {
    for (system, program, tries) in [(UBUNTU_24, "apt-get", 2 + 2), (AMAZON_2023, "dnf", 2 + 1)] {
        let node = Node::start(system).await;
        node.set("lock", "2");
        let output = node.good("packages", &[]).await;
        assert_eq!(node.calls_of(&[program]).len(), tries, "{output}");
        assert_eq!(output.matches("holds the package manager's lock").count(), 2, "{output}");
    }
}

/// The calls of the step python that install: uv by pip, the packages by uv.
fn installs(muster: &Path) -> [String; 2] {
    let at = muster.display();
    [
        format!(
            "pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
             --require-hashes -r {at}/lock/uv.txt"
        ),
        format!(
            "uv pip install --python {at}/venv/bin/python3 --require-build-hashes \
             --build-constraints {at}/lock/build.txt --require-hashes --requirement {at}/lock/3.11.txt"
        ),
    ]
}

#[tokio::test]
async fn python_is_made_once_and_every_file_is_checked_against_a_hash() {
    let node = Node::start(UBUNTU_24).await;
    let muster = node.sshd.home().join(".muster");
    let [uv, packages] = installs(&muster);
    let make = format!("uv venv --python 3.11 {}", muster.join("venv").display());
    node.good("python", &[]).await;
    let calls = node.calls_of(&["python3", "pip", "uv"]);
    let by_uv: Vec<_> = calls.iter().filter(|call| call.starts_with("uv ")).collect();
    assert_eq!(by_uv, [&make, &packages], "{calls:#?}");
    let own = format!("python3 -m venv {}", muster.join("uv").display());
    assert!(calls.contains(&own) && calls.contains(&uv), "{calls:#?}");
    let lock = fs::read_to_string(node.state("3.11.txt")).unwrap();
    assert_eq!(lock, include_str!("../../assets/recipe/lock/3.11.txt"));

    node.good("python", &[]).await;
    let again = node.calls_of(&["pip", "uv"]);
    assert_eq!(again, ["uv --version".to_owned(), packages.clone()], "nothing is made twice");

    node.good("python", &[("MUSTER_PYTHON", "3.10")]).await;
    let other = node.calls_of(&["uv"]);
    assert!(other.contains(&make.replace("3.11", "3.10")), "another minor version: {other:#?}");
    assert!(other.contains(&packages.replace("3.11.txt", "3.10.txt")), "{other:#?}");
}

#[tokio::test]
async fn another_version_of_uv_is_replaced() {
    let node = Node::start(UBUNTU_24).await;
    node.good("python", &[]).await;
    let [uv, _] = installs(&node.sshd.home().join(".muster"));
    assert!(node.calls_of(&["pip"]).contains(&uv));
    node.set("uv-version", "uv 0.4.0\n");
    node.good("python", &[]).await;
    assert!(node.calls_of(&["pip"]).contains(&uv));
}

#[tokio::test]
async fn pyarrow_never_loads_without_its_hotfix() {
    let node = Node::start(UBUNTU_22).await;
    node.good("python", &[]).await;
    let site = node.sshd.home().join(".muster/venv/lib/python3.11/site-packages");
    // As in an environment: with a pyarrow and a hotfix that note down their import.
    let package = |name: &str, text: &str| fs::write(site.join(name), text).unwrap();
    package("pyarrow.py", "print('pyarrow')\n");
    package("pyarrow_hotfix.py", "import pyarrow\nprint('hotfix', pyarrow.__name__)\n");
    let code = "import site, sys; site.addsitedir(sys.argv[1]); print('begun'); import pyarrow";
    let python = Command::new("python3").args(["-c", code]).arg(&site).output().unwrap();
    let output = String::from_utf8_lossy(&python.stdout);
    assert_eq!(output, "begun\npyarrow\nhotfix pyarrow\n", "{python:?}");
}

#[tokio::test]
async fn what_the_project_adds_is_a_step_of_its_own_and_not_called_checked() {
    let node = Node::start(UBUNTU_24).await;
    let without = [("MUSTER_REQUIREMENTS", "")];
    node.good("python", &without).await;
    node.calls();
    let output = node.good("requirements", &without).await;
    assert_eq!((output.trim(), node.calls()), ("muster.yaml adds no packages", vec![]));

    let muster = node.sshd.home().join(".muster");
    let output = node.good("requirements", &[("MUSTER_VERSIONS", "polars==0.18.7")]).await;
    assert!(output.contains("not checked against hashes: polars==0.18.7, s3fs,"), "{output}");
    let at = muster.display();
    let install = format!(
        "uv pip install --python {at}/venv/bin/python3 --constraint {at}/constraints.txt \
         --requirement {at}/requirements.txt"
    );
    assert_eq!(node.calls_of(&["uv"]), [install]);
    let constraints = fs::read_to_string(muster.join("constraints.txt")).unwrap();
    assert_eq!(constraints.trim(), "ray==2.6.3\nnumpy<2");
    let asked = fs::read_to_string(node.state("requirements.txt")).unwrap();
    for line in ["pyquokka", "ray[default]", "async_timeout", "s3fs"] {
        assert!(asked.lines().any(|own| own == line), "{line}: {asked}");
    }

    let hashed = [("MUSTER_REQUIREMENTS", "s3fs==0.4.2 --hash=sha256:00")];
    let output = node.good("requirements", &hashed).await;
    assert!(!output.contains("s3fs"), "it has a hash: {output}");
}

#[tokio::test]
async fn an_unsatisfiable_requirement_is_the_last_line() {
    let node = Node::start(UBUNTU_22).await;
    node.good("python", &[]).await;
    let asked = [("MUSTER_REQUIREMENTS", "no-such-package")];
    let (output, exit) = node.run("requirements", &asked).await;
    assert_eq!(exit, Exit::Status(1));
    assert!(output.trim().ends_with("no-such-package was not found"), "{output}");
    node.good("requirements", &[]).await;
}
