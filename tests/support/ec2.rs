//! A realistic EC2: `ec2_layer` (Python) in front of moto, with a seed. In contrast to
//! [`super::moto`], which is consistent at once, it honors client tokens, shows new
//! resources late and deleted ones for a while, moves instances and peering connections
//! through their states, refuses to delete what has dependents, throttles, and loses
//! answers. `ec2_layer/rules.py` lists the rules; each can be switched off.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    env,
    ffi::OsString,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use aws_sdk_ec2::{
    Client,
    config::{Builder, Credentials, Region, SharedCredentialsProvider},
};
use muster::cloud::ec2::{Ec2Cloud, Timeouts};
use serde_json::{Value, json};

use super::{endpoint, server::Server};

/// A running server for any number of accounts; it ends when dropped.
pub struct Ec2(Server);

/// One of its accounts, selected by its access key.
#[derive(Clone)]
pub struct Account {
    url: String,
    /// The access key of calls that are subject to the account's rules.
    pub key: String,
}

impl Ec2 {
    /// Starts a server and waits until it listens.
    pub fn start() -> Self {
        let mut command = Command::new(python());
        command
            .args(["-m", "ec2_layer"])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support"));
        Self(Server::start(command, "listening on "))
    }

    /// Creates an account with only default VPCs. `rules` override the defaults; the same
    /// seed gives the same results for the same calls.
    pub fn account(&self, name: &str, seed: u64, rules: &Value) -> Account {
        let account = Account { url: self.0.url().to_owned(), key: format!("AKIA{name}") };
        account.post("world", &json!({"key": account.key, "seed": seed, "rules": rules}));
        account
    }
}

impl Account {
    /// Returns the value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns muster's adapter for it.
    pub fn cloud(&self) -> Ec2Cloud {
        let credentials = Credentials::new(&self.key, "secret", None, None, "test");
        let config = endpoint::config(&self.url).into_builder();
        let config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
        Ec2Cloud::from_config(config.build(), Timeouts::default())
    }

    /// Returns an SDK client without lags and faults, for the setup of a test.
    pub fn client(&self, region: &str) -> Client {
        let direct = format!("AKIADIRECT-{}", self.key);
        let credentials = Credentials::new(direct, "direct", None, None, "test");
        let builder = Builder::from(&endpoint::config(&self.url));
        let builder = builder.credentials_provider(credentials);
        Client::from_conf(builder.region(Region::new(region.to_owned())).build())
    }

    /// Changes rules from now on.
    pub fn set(&self, rules: &Value) {
        self.post("rules", &json!({"key": self.key, "rules": rules}));
    }

    /// Returns the actual state of every resource ever created, and every call.
    pub fn truth(&self) -> Value {
        let path = format!("/__muster/truth?{}", self.key);
        ask(&self.url, &format!("GET {path} HTTP/1.0\r\n\r\n"))
    }

    fn post(&self, what: &str, body: &Value) {
        let body = body.to_string();
        let head = format!("POST /__muster/{what} HTTP/1.0\r\nContent-Length: {}\r\n", body.len());
        let answer = ask(&self.url, &format!("{head}\r\n{body}"));
        assert!(answer["error"].is_null(), "{answer}");
    }
}

fn ask(url: &str, request: &str) -> Value {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// Returns the Python that has moto: the one next to `moto_server`.
fn python() -> OsString {
    let adjacent =
        env::var_os("MUSTER_MOTO_SERVER").map(|path| Path::new(&path).with_file_name("python3"));
    adjacent.map_or_else(|| "python3".into(), Into::into)
}
