//! ami.exists, ami.architecture, type.offered.

use muster::{
    check::Level,
    cloud::{ImageState, InstanceTypeInfo, Offering, Subnet},
    config::Sourced,
};

use super::world::{World, hours_from_now, image};

/// Returns the skipped finding of a dry run that EC2 would refuse for a reason already reported.
fn skipped_launch(region: &str) -> String {
    format!("- iam.launch {region}: not checked while a named resource can't be used")
}

#[test]
fn an_image_of_another_region_is_recognised() {
    let mut world = World::healthy();
    world.templates("eu-west-1", |template| {
        template.image.as_mut().unwrap().value = "ami-us".into();
    });
    let launch = skipped_launch("eu-west-1");
    assert_eq!(
        world.bad(),
        [
            "✗ ami.exists eu-west-1: ami-us is an image of us-west-2",
            "- ami.architecture eu-west-1: not judged: ami-us is missing here",
            &launch,
        ]
    );
    let finding = world.run().remove(0);
    assert_eq!(finding.location.unwrap().to_string(), "eu.yaml:13:9");
    assert!(finding.impact.unwrap().ends_with("InvalidAMIID.NotFound"));
    let todo = finding.todo.unwrap();
    let find = "aws ec2 describe-images --region eu-west-1 --owners 099720109477 \
                --filters 'Name=name,Values=ubuntu-22.04'";
    assert!(todo.contains(find), "{todo}");
}

#[test]
fn an_image_that_nobody_knows() {
    let mut world = World::healthy();
    world.region("eu-west-1").images.clear();
    assert_eq!(world.bad()[0], "✗ ami.exists eu-west-1: ami-eu does not exist here");
}

#[test]
fn states_of_an_image() {
    let mut world = World::healthy();
    world.region("eu-west-1").images[0].state = ImageState::Other("pending".into());
    assert_eq!(world.bad()[0], "✗ ami.exists eu-west-1: ami-eu is pending");
    let mut world = World::healthy();
    world.region("eu-west-1").images[0].deprecation = Some(hours_from_now(-1));
    assert_eq!(world.bad(), ["! ami.exists eu-west-1: ami-eu is deprecated"]);
    world.region("eu-west-1").images[0].deprecation = Some(hours_from_now(1));
    assert!(world.bad().is_empty(), "not yet");
}

#[test]
fn no_image_named() {
    let mut world = World::healthy();
    world.templates("us-west-2", |template| template.image = None);
    let launch = skipped_launch("us-west-2");
    assert_eq!(
        world.bad(),
        ["✗ ami.exists us-west-2: no ImageId for ray.head.default and ray.worker.default", &launch,]
    );
}

#[test]
fn two_images_are_two_findings_and_the_same_one_is_one() {
    let mut world = World::healthy();
    let count = |world: &World| {
        let findings = world.run();
        findings.iter().filter(|it| it.check == "ami.exists").count()
    };
    assert_eq!(count(&world), 3);
    world.region("us-west-2").images.push(image("ami-2"));
    world.config("us-west-2").groups[1].template.image =
        Some(Sourced::default("ami-2".into(), "test"));
    assert_eq!(count(&world), 4);
}

#[test]
fn unreadable_images_are_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "images");
    assert_eq!(
        world.bad(),
        [
            "? ami.exists eu-west-1: the images could not be read",
            "? ami.architecture eu-west-1: the images could not be read",
        ]
    );
}

#[test]
fn an_image_for_other_processors() {
    let mut world = World::healthy();
    world.region("eu-west-1").images[0].architecture = "arm64".into();
    let launch = skipped_launch("eu-west-1");
    assert_eq!(
        world.bad(),
        ["✗ ami.architecture eu-west-1: ami-eu does not run on m5.large", &launch]
    );
}

#[test]
fn an_instance_type_that_does_not_exist() {
    let mut world = World::healthy();
    world.region("eu-west-1").types.clear();
    let launch = skipped_launch("eu-west-1");
    assert_eq!(
        world.bad(),
        [
            "✗ type.offered eu-west-1: there is no instance type m5.large here",
            "- ami.architecture eu-west-1: not judged: m5.large does not exist here",
            &launch,
        ]
    );
}

#[test]
fn unreadable_types_leave_the_offerings() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "types");
    assert_eq!(world.bad(), ["? ami.architecture eu-west-1: the instance types could not be read"]);
    world.unreadable("eu-west-1", "offerings");
    assert_eq!(world.bad()[1], "? type.offered eu-west-1: the offerings could not be read");
}

#[test]
fn not_offered_in_the_subnets_zone() {
    let mut world = World::healthy();
    world.region("eu-west-1").offerings[0].zone = "eu-west-1b".into();
    assert_eq!(world.bad(), ["✗ type.offered eu-west-1: m5.large is not offered in eu-west-1a"]);
    let finding = world.run().remove(0);
    assert_eq!(finding.evidence, ["it is offered in eu-west-1b"]);
    world.region("eu-west-1").offerings.clear();
    assert_eq!(world.run()[0].evidence, ["it is offered in no zone here"]);
}

#[test]
fn not_offered_in_one_of_two_zones_is_a_warning() {
    let mut world = World::healthy();
    let other = Subnet {
        id: "subnet-2".into(),
        zone: "eu-west-1b".into(),
        cidr: "10.2.2.0/24".parse().unwrap(),
        ..world.region("eu-west-1").subnets[0].clone()
    };
    world.region("eu-west-1").subnets.push(other);
    world.templates("eu-west-1", |template| {
        template.subnets.push(Sourced::default("subnet-2".into(), "test"));
    });
    assert_eq!(world.bad(), ["! type.offered eu-west-1: m5.large is not offered in eu-west-1b"]);
}

#[test]
fn other_types_offerings_do_not_count() {
    let mut world = World::healthy();
    let facts = world.region("eu-west-1");
    facts.types.push(InstanceTypeInfo { name: "c5.large".into(), ..facts.types[0].clone() });
    facts.offerings =
        vec![Offering { instance_type: "c5.large".into(), ..facts.offerings[0].clone() }];
    let finding = world.finding("type.offered", "eu-west-1");
    assert_eq!(finding.level, Level::Fail);
}
