//! Packages and Python.

use std::fs;

use muster::remote::Exit;

use super::node::{AMAZON_2023, DEBIAN_12, Node, UBUNTU_22, UBUNTU_24};

const MANAGERS: [&str; 2] = ["apt-get", "dnf"];

/// What is installed on a leader's image, and that nothing is the second time.
async fn packages(system: &str, expected: &[&str]) {
    let node = Node::start(system).await;
    node.good("packages", &[]).await;
    assert_eq!(node.calls_of(&MANAGERS), expected, "{system}");
    let told = node.good("packages", &[]).await;
    assert_eq!(node.calls_of(&MANAGERS), [""; 0], "{system}: the second time");
    assert!(told.contains("already there"), "{told}");
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
        let (told, exit) = node.run("packages", &[]).await;
        assert_eq!(exit, Exit::Status(1), "{told}");
        assert!(told.contains(word), "{told}");
        assert_eq!(node.calls_of(&MANAGERS), [""; 0]);
    }
}

#[tokio::test]
async fn a_lock_that_is_held_is_waited_for() {
    for (system, program, tries) in [(UBUNTU_24, "apt-get", 2 + 2), (AMAZON_2023, "dnf", 2 + 1)] {
        let node = Node::start(system).await;
        node.set("lock", "2");
        let told = node.good("packages", &[]).await;
        assert_eq!(node.calls_of(&[program]).len(), tries, "{told}");
        assert_eq!(told.matches("holds the package manager's lock").count(), 2, "{told}");
    }
}

#[tokio::test]
async fn python_is_made_once_and_installed_in_one_call() {
    let node = Node::start(UBUNTU_24).await;
    let home = node.sshd.home();
    let muster = home.join(".muster");
    let (venv, uv) = (muster.join("venv"), muster.join("uv"));
    let install = format!(
        "uv pip install --python {0}/bin/python3 --constraint {1}/constraints.txt \
         --requirement {1}/requirements.txt",
        venv.display(),
        muster.display()
    );
    let make = format!("uv venv --python 3.11 {}", venv.display());
    node.good("python", &[]).await;
    let calls = node.calls_of(&["python3", "pip", "uv"]);
    let by_uv: Vec<_> = calls.iter().filter(|call| call.starts_with("uv ")).collect();
    assert_eq!(by_uv, [&make, &install], "{calls:#?}");
    assert!(calls.contains(&format!("python3 -m venv {}", uv.display())), "{calls:#?}");
    assert!(calls.iter().any(|call| call.starts_with("pip install") && call.ends_with("uv>=0.5")));
    assert_eq!(
        fs::read_to_string(muster.join("constraints.txt")).unwrap().trim(),
        "ray==2.6.3\nnumpy<2"
    );
    let asked = fs::read_to_string(node.state("requirements.txt")).unwrap();
    for line in ["pyquokka", "ray[default]", "async_timeout", "s3fs"] {
        assert!(asked.lines().any(|own| own == line), "{line}: {asked}");
    }

    node.good("python", &[]).await;
    let again = node.calls_of(&["pip", "uv"]);
    assert_eq!(again, ["uv --version".to_owned(), install.clone()], "nothing is made twice");

    node.good("python", &[("MUSTER_PYTHON", "3.10")]).await;
    let other = node.calls_of(&["uv"]);
    assert!(other.contains(&make.replace("3.11", "3.10")), "another minor version: {other:#?}");
}

#[tokio::test]
async fn a_requirement_that_can_not_be_met_is_the_last_word() {
    let node = Node::start(UBUNTU_22).await;
    let (told, exit) = node.run("python", &[("MUSTER_REQUIREMENTS", "no-such-package")]).await;
    assert_eq!(exit, Exit::Status(1));
    assert!(told.trim().ends_with("no-such-package was not found"), "{told}");
    node.good("python", &[]).await;
}
