//! Instance prices from the AWS price list; moto has none.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::{
    cloud::{
        Cloud,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};
use serde_json::{Value, json};

use crate::support::endpoint::{Answer, Endpoint, Request, config};

const TYPES: &str = "<instanceTypeSet><item><instanceType>m5.2xlarge</instanceType>\
    <vCpuInfo><defaultVCpus>8</defaultVCpus></vCpuInfo>\
    <memoryInfo><sizeInMiB>32768</sizeInMiB></memoryInfo></item></instanceTypeSet>";

/// Returns an answer of `GetProducts`, reduced to the fields that are read: each
/// product is a JSON text within the JSON.
fn products(usd: &str) -> Answer {
    let rate = json!({"unit": "Hrs", "pricePerUnit": {"USD": usd}});
    let terms = json!({"OnDemand": {"ABC.JRT": {"priceDimensions": {"ABC.JRT.6YS": rate}}}});
    let product = json!({"product": {"sku": "ABC"}, "serviceCode": "AmazonEC2", "terms": terms});
    let answer = json!({"FormatVersion": "aws_v1", "PriceList": [product.to_string()]});
    Answer::Http(200, answer.to_string())
}

/// Starts EC2 and a price list that returns `prices`.
async fn aws(prices: Answer) -> Endpoint {
    Endpoint::with(move |request, _| {
        if request.is_for_prices() {
            return prices.clone();
        }
        Answer::ok("DescribeInstanceTypes", TYPES)
    })
    .await
}

async fn price(cloud: &Ec2Cloud, region: &str) -> Option<f64> {
    let types = cloud.instance_types(&Region::from(region), &["m5.2xlarge".into()]).await;
    types.unwrap().pop().unwrap().usd_per_hour
}

fn asked(endpoint: &Endpoint) -> Vec<Request> {
    endpoint.requests().into_iter().filter(Request::is_for_prices).collect()
}

#[tokio::test]
async fn a_type_has_its_price_on_demand_and_it_is_asked_for_once() {
    let endpoint = aws(products("0.4280000000")).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    for _ in 0..2 {
        assert_eq!(price(&cloud, "eu-west-1").await, Some(0.428));
    }
    let asked = asked(&endpoint);
    assert_eq!(asked.len(), 1);
    let body: Value = serde_json::from_str(asked[0].body()).unwrap();
    let filters = body["Filters"].as_array().unwrap();
    let is = |field: &str, value: &str| {
        filters.contains(&json!({"Type": "TERM_MATCH", "Field": field, "Value": value}))
    };
    assert!(is("regionCode", "eu-west-1") && is("instanceType", "m5.2xlarge"), "{body}");
    assert!(is("operatingSystem", "Linux") && is("tenancy", "Shared"), "{body}");
    assert_eq!(price(&cloud, "us-west-2").await, Some(0.428), "each region has its own prices");
}

#[tokio::test]
async fn without_a_price_everything_else_is_known() {
    let denied = Answer::Http(400, r#"{"__type":"AccessDeniedException"}"#.into());
    for list in [denied, products("?"), Answer::Http(404, String::new()), Answer::Close] {
        let endpoint = aws(list.clone()).await;
        let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
        assert_eq!(price(&cloud, "eu-west-1").await, None, "{list:?}");
        assert_eq!(price(&cloud, "eu-west-1").await, None, "{list:?}");
        assert_eq!(asked(&endpoint).len(), 2, "the next call may succeed: {list:?}");
    }
}
