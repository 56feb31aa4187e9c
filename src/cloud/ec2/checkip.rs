//! The public address of this machine's connections, as AWS sees it.

use std::{net::Ipv4Addr, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::crypto::aws_lc_rs;
use tokio::time::timeout;

/// AWS's own service: it answers with the caller's address and nothing else.
pub(super) const SERVICE: &str = "https://checkip.amazonaws.com/";
/// Where it cannot be reached, the error names the alternative.
const PATIENCE: Duration = Duration::from_secs(3);
/// An address and a line break are shorter.
const LONGEST: usize = 64;

/// The address that `url` sees; `None` where it can't be asked or answers
/// something else. Never more than seconds.
pub(super) async fn ask(url: &str) -> Option<Ipv4Addr> {
    timeout(PATIENCE, answer(url)).await.ok()?
}

async fn answer(url: &str) -> Option<Ipv4Addr> {
    let builder = HttpsConnectorBuilder::new();
    let roots = builder.with_provider_and_native_roots(aws_lc_rs::default_provider()).ok()?;
    let connector = roots.https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<&'static [u8]>>(connector);
    let answer = client.get(url.parse().ok()?).await.ok()?;
    let body = Limited::new(answer.into_body(), LONGEST).collect().await.ok()?.to_bytes();
    std::str::from_utf8(&body).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// What is made of an answer with this body.
    async fn asked(body: &'static str) -> Option<Ipv4Addr> {
        let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
        let url = format!("http://{}/", listener.local_addr().ok()?);
        let server = async {
            let (mut stream, _) = listener.accept().await.ok()?;
            let mut request = [0; 1024];
            (stream.read(&mut request).await.ok()? > 0).then_some(())?;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.ok()
        };
        tokio::join!(ask(&url), server).0
    }

    #[tokio::test]
    async fn an_address_is_taken_and_nothing_else() {
        assert_eq!(asked("203.0.113.7\n").await, Some(Ipv4Addr::new(203, 0, 113, 7)));
        assert_eq!(asked("<html>sign in first</html>").await, None);
        assert_eq!(asked(Box::leak("1".repeat(1000).into_boxed_str())).await, None);
        assert_eq!(ask("http://127.0.0.1:1/").await, None);
    }
}
