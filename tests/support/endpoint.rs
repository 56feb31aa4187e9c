//! An AWS endpoint with answers set by the test, on a free port of 127.0.0.1; or one
//! that forwards requests to another endpoint.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

/// The secret key of [`config`]; no message may contain it.
pub const SECRET: &str = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY";

/// The endpoint's reaction to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Answers with this status and body.
    Http(u16, String),
    /// Keeps the connection open and sends nothing.
    Silence,
    /// Closes the connection.
    Close,
    /// Forwards the request to the endpoint at this address, and returns its answer.
    From(String),
    /// Forwards the request and withholds the answer: the call takes effect, and the
    /// caller never learns of it. Notifies after the effect.
    Withhold(String, Arc<Notify>),
}

impl Answer {
    /// Returns an error answer of EC2.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Http(
            status,
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>\
                 </Errors><RequestID>0-1</RequestID></Response>"
            ),
        )
    }

    /// Returns the answer of `operation` with these elements.
    pub fn ok(operation: &str, elements: &str) -> Self {
        Self::Http(
            200,
            format!(
                "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
                 <requestId>0-1</requestId>{elements}</{operation}Response>"
            ),
        )
    }
}

/// An endpoint; ends when dropped.
pub struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    _tasks: JoinSet<()>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: String,
    form: Vec<(String, String)>,
}

impl Request {
    /// The value of `key` in its form.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.form.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Returns the raw body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns whether it is for the AWS price list instead of EC2.
    pub fn is_for_prices(&self) -> bool {
        self.head.contains("AWSPriceListService.GetProducts")
    }

    /// Returns whether it is signed for `region`: the only way to distinguish regions
    /// at an endpoint that serves all of them.
    pub fn is_for(&self, region: &str) -> bool {
        self.head.contains(&format!("/{region}/ec2/aws4_request"))
    }
}

impl Endpoint {
    /// Gives these answers in sequence, then repeats the last one.
    pub async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<Answer> = answers.into_iter().collect();
        Self::with(move |_, number| answers[number.min(answers.len() - 1)].clone()).await
    }

    /// Calls `answer` with each request and its number, from 0.
    pub async fn with(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                // A client that closes the connection is no error of the endpoint.
                connections.spawn(async move { drop(serve(stream, &seen, &*answer).await) });
            }
        });
        Self { url, requests, _tasks: tasks }
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request, usize) -> Answer + Send + Sync),
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    match answer(&request, number) {
        Answer::Http(status, body) => write(&mut stream, status, &body).await?,
        Answer::From(address) => stream.write_all(&pass_on(&address, &request).await?).await?,
        Answer::Withhold(address, done) => {
            pass_on(&address, &request).await?;
            done.notify_one();
            return std::future::pending().await;
        }
        Answer::Silence => return std::future::pending().await,
        Answer::Close => return Ok(()),
    }
    stream.shutdown().await
}

async fn write(stream: &mut BufReader<TcpStream>, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).await
}

/// Returns the raw answer of the endpoint at `address`.
async fn pass_on(address: &str, request: &Request) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let text = format!("{}connection: close\r\n\r\n{}", request.head, request.body);
    stream.write_all(text.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Request> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8(body).unwrap();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let form = pairs.map(|(key, value)| (decoded(key), decoded(value))).collect();
    Ok(Request { head, body, form })
}

/// Decodes percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: Vec<u8> = rest.by_ref().take(2).collect();
            let hex = std::str::from_utf8(&hex).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns a configuration for the endpoint `url` that ignores the environment and
/// does not pause between attempts.
pub fn config(url: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIATEST", SECRET, None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .build()
}
