use proptest::prelude::*;

use super::*;

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";

/// A key like [`ED25519`] with another last byte.
fn other() -> String {
    let (name, blob) = ED25519.split_once(' ').expect("two words");
    let mut bytes = STANDARD.decode(blob).expect("base64");
    *bytes.last_mut().expect("bytes") ^= 1;
    format!("{name} {}", STANDARD.encode(bytes))
}

fn keys(lines: &[&str]) -> String {
    let lines = lines.join("\r\n");
    format!("-----BEGIN SSH HOST KEY KEYS-----\r\n{lines}\r\n-----END SSH HOST KEY KEYS-----\r\n")
}

fn read(text: &str) -> Vec<String> {
    let found = ConsoleOutput::new(text.to_owned()).host_keys();
    found.iter().map(ToString::to_string).collect()
}

fn print_of(key: &str) -> String {
    Fingerprint::of_public_key(key).expect("a key").to_string()
}

/// As Ubuntu's cloud-init prints it, shortened.
fn of_ubuntu() -> String {
    let print = print_of(ED25519).replace("ED25519 ", "");
    format!(
        "[    0.000000] Linux version 6.8.0-1021-aws\r\n\
         <14>Nov 24 19:00:02 ec2: #####################\r\n\
         <14>Nov 24 19:00:02 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----\r\n\
         <14>Nov 24 19:00:02 ec2: 1024 MD5:aa:bb root@ip-10-1-0-4 (DSA)\r\n\
         <14>Nov 24 19:00:02 ec2: 256 {print} root@ip-10-1-0-4 (ED25519)\r\n\
         <14>Nov 24 19:00:02 ec2: -----END SSH HOST KEY FINGERPRINTS-----\r\n\
         {}\
         [   12.123456] cloud-init[1234]: Cloud-init v. 24.1 finished\r\n",
        keys(&[&format!("{ED25519} root@ip-10-1-0-4")])
    )
}

#[test]
fn keys_and_fingerprints_of_cloud_init_are_read() {
    let wanted = [print_of(ED25519)];
    assert_eq!(read(&of_ubuntu()), wanted);
    let (fingerprints, rest) = of_ubuntu()
        .split_once("-----BEGIN SSH HOST KEY KEYS")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("both");
    assert_eq!(read(&fingerprints), wanted, "the fingerprints alone");
    assert_eq!(read(&format!("-----BEGIN SSH HOST KEY KEYS{rest}")), wanted, "the keys alone");
}

#[test]
fn what_is_printed_first_counts() {
    let (first, later) = (keys(&[ED25519]), keys(&[&other()]));
    assert_eq!(read(&format!("{first}{later}")), [print_of(ED25519)]);
    assert_eq!(read(&format!("{later}{first}")), [print_of(&other())]);
}

#[test]
fn an_incomplete_block_is_not_there_yet() {
    let whole = keys(&[ED25519]);
    let end = whole.find("-----END").expect("an end");
    for cut in 0..whole.trim_end().len() {
        assert_eq!(read(&whole[..cut]), [""; 0], "{cut}");
    }
    assert_eq!(read(&format!("{}{}", &whole[..end], keys(&[&other()]))), [print_of(&other())]);
}

#[test]
fn lines_of_the_kernel_and_keys_of_no_known_type_are_left_out() {
    let noise = ["[   10.1] random: crng init done", ED25519, "ssh-new AAAA", "ssh-rsa AAAA"];
    assert_eq!(read(&keys(&noise)), [print_of(ED25519)]);
}

#[test]
fn a_block_that_holds_no_key_is_passed_over() {
    assert_eq!(read(&format!("{}{}", keys(&["nothing"]), keys(&[ED25519]))), [print_of(ED25519)]);
    let long = vec!["x"; MOST_LINES];
    let long: Vec<&str> = long.into_iter().chain([ED25519]).collect();
    assert_eq!(read(&keys(&long)), [""; 0], "a block has an end soon");
}

#[test]
fn a_mark_is_the_whole_line() {
    let text = keys(&[ED25519]).replace("-----BEGIN", "echo -----BEGIN");
    assert_eq!(read(&text), [""; 0]);
    let text = keys(&[ED25519]).replace("KEYS-----", "KEYS----- ");
    assert_eq!(read(&text), [print_of(ED25519)], "spaces at its end are the console's");
}

#[test]
fn the_beginning_of_an_endless_output_is_kept() {
    let text = format!("{}{}", keys(&[ED25519]), "ä".repeat(LONGEST));
    let encoded = STANDARD.encode(&text);
    let output = ConsoleOutput::decode(&encoded).expect("base64");
    assert!(output.as_str().len() <= LONGEST + 2);
    assert_eq!(output.host_keys().len(), 1);
    assert_eq!(ConsoleOutput::decode("not base64!"), None);
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "(?s).{0,400}") {
        let _ = read(&text);
    }

    #[test]
    fn nothing_behind_the_first_block_changes_what_is_read(noise in "(?s).{0,400}") {
        let first = keys(&[ED25519]);
        prop_assert_eq!(read(&format!("{first}{noise}")), [print_of(ED25519)]);
    }

    #[test]
    fn parts_of_blocks_in_any_order_are_read_without_a_key_that_is_not_there(
        parts in prop::collection::vec(0_usize..7, 0..30)
    ) {
        let lines = [
            "-----BEGIN SSH HOST KEY KEYS-----",
            "-----END SSH HOST KEY KEYS-----",
            "ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----",
            "ec2: -----END SSH HOST KEY FINGERPRINTS-----",
            ED25519,
            "256 SHA256:short root (ED25519)",
            "",
        ];
        let text: Vec<&str> = parts.iter().map(|part| lines[*part]).collect();
        for found in read(&text.join("\n")) {
            prop_assert_eq!(found, print_of(ED25519));
        }
    }
}
