//! The spill folder on the instance's own disks, and never on existing data.

use std::{fs, path::PathBuf};

use super::node::{Node, UBUNTU_22};

const WRITES: [&str; 4] = ["mkfs.ext4", "mkfs.xfs", "mdadm", "mount"];
const NVME: &str = r"Amazon\x20EC2\x20NVMe\x20Instance\x20Storage";

/// Returns a node with instance-store disks of these contents, in addition to its EBS root.
async fn node_with(disks: &[&[u8]]) -> (Node, Vec<PathBuf>) {
    let node = Node::start(UBUNTU_22).await;
    let mut listed = format!("/dev/nvme0n1 disk {}\n", r"Amazon\x20Elastic\x20Block\x20Store");
    let mut paths = Vec::new();
    for (number, content) in (1..).zip(disks) {
        let path = node.folder.path().join(format!("nvme{number}n1"));
        fs::write(&path, content).unwrap();
        listed = format!("{listed}{} disk {NVME}\n", path.display());
        paths.push(path);
    }
    node.set("disks", &listed);
    (node, paths)
}

fn name(path: &std::path::Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[tokio::test]
async fn without_a_disk_it_is_a_folder_of_the_root_volume_and_reports_that() {
    let (node, _) = node_with(&[]).await;
    let output = node.good("spill", &[]).await;
    assert!(output.contains("a folder of the root volume"), "{output}");
    assert_eq!(node.calls_of(&WRITES), [""; 0]);
    assert!(node.folder.path().join("spill").is_dir());
}

#[tokio::test]
async fn one_empty_disk_gets_a_filesystem_once() {
    let (node, paths) = node_with(&[&[0; 4096]]).await;
    let (disk, spill) = (paths[0].display(), node.folder.path().join("spill"));
    node.good("spill", &[]).await;
    let expected = [
        format!("mkfs.ext4 -q -m 0 -L muster-spill -E nodiscard {disk}"),
        format!("mount -o noatime {disk} {}", spill.display()),
    ];
    assert_eq!(node.calls_of(&WRITES), expected);
    let output = node.good("spill", &[]).await;
    assert!(output.contains("mounted already"), "{output}");
    assert_eq!(node.calls_of(&WRITES), [""; 0], "the second time");

    // After a restart: the filesystem exists and is not mounted.
    fs::remove_file(node.state("mounted")).unwrap();
    node.good("spill", &[]).await;
    assert_eq!(node.calls_of(&WRITES), expected[1..]);
}

#[tokio::test]
async fn several_empty_disks_are_striped() {
    let (node, paths) = node_with(&[&[0; 64], &[0; 64]]).await;
    node.good("spill", &[]).await;
    let calls = node.calls_of(&WRITES);
    let create = format!(
        "mdadm --create /dev/md/muster-spill --run --level=0 --raid-devices=2 \
         --name=muster-spill {} {}",
        paths[0].display(),
        paths[1].display()
    );
    assert_eq!(calls[0], create);
    assert!(calls[1].starts_with("mkfs.ext4 ") && calls[1].ends_with(" /dev/md/muster-spill"));
    assert!(calls[2].starts_with("mount ") && calls.len() == 3, "{calls:#?}");
}

#[tokio::test]
async fn an_existing_filesystem_is_kept() {
    let (node, paths) = node_with(&[b"files", &[0; 64]]).await;
    node.set(&format!("kind-{}", name(&paths[0])), "xfs\n");
    node.good("spill", &[]).await;
    let calls = node.calls_of(&WRITES);
    let mount = format!("mount -o noatime {}", paths[0].display());
    assert!(calls.len() == 1 && calls[0].starts_with(&mount), "{calls:#?}");
}

/// A signature known to blkid, an unknown one, partitions, a disk in use.
#[tokio::test]
async fn a_disk_that_holds_data_is_never_formatted() {
    let (node, paths) = node_with(&[b"\0\0\0rows", &[0; 64], b"", b"x"]).await;
    node.set(&format!("kind-{}", name(&paths[1])), "LVM2_member\n");
    node.set(&format!("kind-{}", name(&paths[2])), "");
    node.set(&format!("mounted-{}", name(&paths[3])), "/mnt\n");
    let output = node.good("spill", &[]).await;
    assert_eq!(node.calls_of(&WRITES), [""; 0], "{output}");
    assert_eq!(output.matches("left alone").count(), 3, "{output}");
    assert!(output.contains("is in use") && output.contains("root volume"), "{output}");
    assert_eq!(fs::read(&paths[0]).unwrap(), b"\0\0\0rows");
}

/// Returns a node with two disks of an array that an earlier run created, under any
/// device name. The array is assembled already if `running`.
async fn node_with_array(running: bool) -> (Node, Vec<PathBuf>) {
    let (node, paths) = node_with(&[b"member", b"member"]).await;
    for path in &paths {
        node.set(&format!("kind-{}", name(path)), "linux_raid_member\n");
        if running {
            node.set(&format!("children-{}", name(path)), "/dev/md127 raid0\n");
        }
    }
    node.set("assembles", "/dev/md127");
    (node, paths)
}

const ASSEMBLE: &str = "mdadm --assemble --scan";

/// After a restart of the instance, which keeps its disks.
#[tokio::test]
async fn an_existing_array_is_assembled_and_mounted_and_never_recreated() {
    for running in [true, false] {
        let (node, _) = node_with_array(running).await;
        node.set("kind-md127", "ext4\n");
        let output = node.good("spill", &[]).await;
        let spill = node.folder.path().join("spill");
        let mount = format!("mount -o noatime /dev/md127 {}", spill.display());
        let mut expected = vec![ASSEMBLE, &mount];
        if running {
            expected.remove(0);
        }
        assert_eq!(node.calls_of(&WRITES), expected, "{output}");
        node.good("spill", &[]).await;
        assert_eq!(node.calls_of(&WRITES), [""; 0], "the second time");
    }
}

/// Its other disk may be missing: then there is nothing to mount or create.
#[tokio::test]
async fn an_array_that_can_not_be_assembled_is_left_alone() {
    let (node, paths) = node_with_array(false).await;
    fs::remove_file(node.state("assembles")).unwrap();
    let output = node.good("spill", &[]).await;
    assert_eq!(node.calls_of(&WRITES), [ASSEMBLE, ASSEMBLE], "{output}");
    assert_eq!(output.matches("can't be assembled: left alone").count(), 2, "{output}");
    assert!(output.contains("a folder of the root volume"), "{output}");
    assert_eq!(fs::read(&paths[0]).unwrap(), b"member");
}

/// A run interrupted between array and filesystem continues, if muster created the
/// array.
#[tokio::test]
async fn an_array_without_a_filesystem_gets_one_only_if_it_is_muster_s() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let raid = empty.path().to_str().unwrap();
    for (name, own) in
        [("muster-spill", true), ("ip-10-1-0-5:muster-spill", true), ("scratch", false)]
    {
        let (node, _) = node_with_array(false).await;
        node.set("assembles", raid);
        node.set("details", &format!("MD_LEVEL=raid0\nMD_NAME={name}\n"));
        let output = node.good("spill", &[]).await;
        let calls = node.calls_of(&["mkfs.ext4", "mount"]);
        assert_eq!(calls.len(), if own { 2 } else { 0 }, "{name}: {calls:#?} {output}");
        assert!(!own || calls.iter().all(|call| call.contains(raid)), "{calls:#?}");
        assert_eq!(output.contains(&format!("{raid} holds data: left alone")), !own, "{output}");
    }
}

/// It holds data in a form other than a filesystem.
#[tokio::test]
async fn an_array_that_holds_data_is_never_formatted() {
    let (node, _) = node_with_array(true).await;
    node.set("kind-md127", "LVM2_member\n");
    node.set("details", "MD_NAME=muster-spill\n");
    let output = node.good("spill", &[]).await;
    assert_eq!(node.calls_of(&WRITES), [""; 0], "{output}");
    assert!(output.contains("/dev/md127 holds data: left alone"), "{output}");
}
