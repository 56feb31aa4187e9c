//! Errors are classified by what to do about them.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]
#![expect(deprecated, reason = "what replaces ProfileFiles is in a crate of the SDK's own insides")]

use std::net::TcpListener;

use aws_config::{
    SdkConfig,
    profile::{
        ProfileFileCredentialsProvider,
        profile_file::{ProfileFileKind, ProfileFiles},
    },
};
use aws_sdk_ec2::config::SharedCredentialsProvider;
use muster::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};

use super::SHORT;
use crate::support::endpoint::{Answer, Endpoint, SECRET, config};

/// Sends a request that must fail; returns the error.
async fn failing(config: SdkConfig, timeouts: Timeouts) -> CloudError {
    let region = Region::from("us-west-2");
    let asked = Ec2Cloud::from_config(config, timeouts).regions(&region).await;
    let error = asked.unwrap_err();
    assert_eq!((&error.region, error.operation), (&region, "DescribeRegions"));
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    error
}

async fn answered(answer: Answer) -> (CloudError, usize) {
    let endpoint = Endpoint::answering([answer]).await;
    let error = failing(config(endpoint.url()), Timeouts::default()).await;
    (error, endpoint.requests().len())
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = failing(config(&url), Timeouts::default()).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Unreachable, None));
    assert!(error.message.contains(&url), "{error}");
    assert!(error.message.contains("Connection refused"), "{error}");
    assert!(error.not_asked() && !error.outcome_unknown());
    assert!(error.hint().unwrap().contains("AWS_ENDPOINT_URL"));
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_given_up() {
    let endpoint = Endpoint::answering([Answer::Silence]).await;
    let error = failing(config(endpoint.url()), SHORT).await;
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.message.contains(endpoint.url()), "{error}");
    assert!(error.not_asked() && error.outcome_unknown());
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_open() {
    let endpoint = Endpoint::answering([Answer::Close]).await;
    let error = failing(config(endpoint.url()), Timeouts::default()).await;
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.outcome_unknown());
    assert_eq!(endpoint.requests().len(), 3, "the SDK tries three times");
}

#[tokio::test]
async fn without_credentials_the_error_names_the_profile_and_what_to_do() {
    let endpoint = Endpoint::answering([Answer::Silence]).await;
    let nothing = ProfileFiles::builder().with_contents(ProfileFileKind::Config, "").build();
    let none = ProfileFileCredentialsProvider::builder().profile_files(nothing).build();
    let config = config(endpoint.url()).into_builder();
    let config = config.credentials_provider(SharedCredentialsProvider::new(none)).build();
    let error = failing(config, Timeouts::default()).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Credentials, None));
    for word in ["no AWS credentials", "profile `", "AWS_PROFILE", "aws configure"] {
        assert!(error.message.contains(word), "{error}");
    }
    assert!(error.not_asked());
    assert_eq!(endpoint.requests().len(), 0);
}

#[tokio::test]
async fn incomplete_credentials_are_distinguished_from_none() {
    let half = "[default]\naws_access_key_id = AKIATEST\n";
    let half = ProfileFiles::builder().with_contents(ProfileFileKind::Credentials, half).build();
    let half = ProfileFileCredentialsProvider::builder().profile_files(half).build();
    let config = config("http://127.0.0.1:9").into_builder();
    let config = config.credentials_provider(SharedCredentialsProvider::new(half)).build();
    let error = failing(config, Timeouts::default()).await;
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert!(error.message.contains("can't be loaded"), "{error}");
    assert!(error.message.contains("aws_secret_access_key"), "{error}");
}

#[tokio::test]
async fn credentials_that_aws_refuses_are_recognized_by_its_code() {
    let expired = Answer::error(400, "RequestExpired", "Request has expired.");
    let (error, requests) = answered(expired).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Credentials, Some("RequestExpired"))
    );
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_refusal_keeps_its_words_but_not_the_encoded_kilobyte() {
    let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/q \
                   is not authorized to perform: ec2:DescribeRegions. \
                   Encoded authorization failure message: 4qC-XkZk0ZzXqPwR";
    let (error, requests) = answered(Answer::error(403, "UnauthorizedOperation", message)).await;
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.ends_with("perform: ec2:DescribeRegions."), "{error}");
    assert!(!error.not_asked() && !error.outcome_unknown());
    assert_eq!(requests, 1, "a retry would be useless");
}

#[tokio::test]
async fn trouble_of_the_service_leaves_the_outcome_open() {
    for answer in [
        Answer::Http(500, String::new()),
        Answer::Http(502, "<html>Bad Gateway</html>".into()),
        Answer::error(500, "InternalError", "An internal error has occurred"),
        Answer::error(503, "SomethingNew", "an unknown error"),
    ] {
        let (error, requests) = answered(answer).await;
        assert_eq!(error.kind, ErrorKind::Service, "{error}");
        assert!(error.outcome_unknown());
        assert_eq!(requests, 3, "{error}");
    }
}

/// EC2 answers these with a 5xx status.
#[tokio::test]
async fn the_code_counts_more_than_the_status() {
    let throttled = Answer::error(503, "RequestLimitExceeded", "Request limit exceeded.");
    assert_eq!(answered(throttled).await.0.kind, ErrorKind::Throttled);
    let full = Answer::error(500, "InsufficientInstanceCapacity", "We have no m5.large now.");
    assert_eq!(answered(full).await.0.kind, ErrorKind::Capacity);
}

#[tokio::test]
async fn an_endpoint_that_is_not_ec2_is_called_so() {
    for page in [Answer::Http(404, "<html>nginx</html>".into()), Answer::Http(200, "hello".into())]
    {
        let (error, _) = answered(page).await;
        assert_eq!(error.kind, ErrorKind::Other, "{error}");
        assert!(error.message.contains("not EC2's"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_lacks_something_is_an_error_and_not_nothing() {
    let item = "<item><regionName>us-west-2</regionName></item>";
    let info = format!("<regionInfo>{item}</regionInfo>");
    let (error, _) = answered(Answer::ok("DescribeRegions", &info)).await;
    assert_eq!(error.kind, ErrorKind::Other);
    assert!(error.message.contains("optInStatus"), "{error}");
}
