//! The first configs, generated from scratch.

use super::{init, names, read};
use crate::support::muster::Muster;

#[test]
fn the_first_configs_load_clean_and_have_images_where_aws_answers() {
    let muster = Muster::new();
    let args = ["--regions", "us-west-2,eu-west-1", "--key-name", "tpch", "--name", "tpch"];
    let args = [&args[..], &["--workers", "3", "--scenario", "healthy", "--yes"]].concat();
    let ran = init(&muster, &args);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(names(&muster.folder()), ["eu.yaml", "muster.yaml", "us.yaml"]);
    insta::assert_snapshot!("us.yaml", read(&muster, "us.yaml"));
    insta::assert_snapshot!("muster.yaml", read(&muster, "muster.yaml"));
    let checked = muster.run(&["config"]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    assert_eq!(checked.err, "", "it reports nothing about them");
    let again = init(&muster, &args);
    assert_eq!(again.code, Some(0), "identical files are not overwritten: {again:#?}");
    let other = init(&muster, &[&args[..], &["--instance-type", "m5.large"]].concat());
    assert_eq!(other.code, Some(2), "{other:#?}");
    assert!(other.err.contains("are there already"), "{}", other.err);
}

#[test]
fn without_aws_the_image_is_left_open_or_the_given_one_marked() {
    let muster = Muster::new();
    let args = ["--regions", "us-west-2,eu-west-1", "--key-name", "k", "--yes", "--offline"];
    let ran = init(&muster, &args);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(read(&muster, "eu.yaml").contains("      # ImageId: ami-"));
    assert!(ran.out.contains("  eu.yaml:25  ImageId: none is known here"), "{}", ran.out);
    let args = [&args[..], &["--image", "ami-1e749f67", "-o", "given"]].concat();
    assert_eq!(init(&muster, &args).code, Some(0));
    let eu = read(&muster, "given/eu.yaml");
    assert!(eu.contains("ImageId: ami-1e749f67 # muster: of us-west-2; `muster fix`"), "{eu}");
    for folder in [".", "given"] {
        let checked = muster.run(&["config", &format!("{folder}/muster.yaml")]);
        assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{checked:#?}");
    }
}

#[test]
fn without_a_terminal_there_is_no_prompt() {
    let muster = Muster::new();
    for (args, message) in [
        (&["--yes"][..], "--regions is not given"),
        (&["--regions", "us-west-2"], "--key-name is not given"),
        (&["--regions", "us-west-2,us-west-2", "--key-name", "k"], "named twice"),
        (&["--workers", "many"], "is no number from 0 to 1000"),
        (&["--instance-type", "large"], "is no instance type"),
        (&["--name", "a/b"], "a name has at most 40 letters"),
    ] {
        let ran = init(&muster, args);
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.err.contains(message), "{message:?} is missing: {}", ran.err);
    }
    assert!(names(&muster.folder()).is_empty());
}
