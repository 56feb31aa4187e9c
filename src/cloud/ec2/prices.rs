//! On-demand prices, from `GetProducts` of AWS's Price List: EC2 has none.
//! Source: <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_pricing::{
    Client,
    config::{self, Builder},
    error::DisplayErrorContext,
    types::{Filter, FilterType},
};
use futures_util::future::join_all;
use serde_json::Value;
use tracing::debug;

use crate::model::{InstanceType, Region, visible};

/// The list is kept in few regions; this one's covers all.
const KEPT_IN: &str = "us-east-1";
/// Nothing waits longer for a price: without one it is unknown, and shown so.
const PATIENCE: Duration = Duration::from_secs(2);

/// The product that muster launches: Linux, shared tenancy.
const PRODUCT: [(&str, &str); 5] = [
    ("operatingSystem", "Linux"),
    ("tenancy", "Shared"),
    ("preInstalledSw", "NA"),
    ("capacitystatus", "Used"),
    ("marketoption", "OnDemand"),
];

/// The prices read so far. The others are requested again.
#[derive(Debug, Default)]
pub(super) struct Prices {
    known: Mutex<BTreeMap<(Region, InstanceType), f64>>,
}

impl Prices {
    /// US dollars an hour of those of `types` whose price can be had.
    pub(super) async fn of(
        &self,
        config: &SdkConfig,
        region: &Region,
        types: &[InstanceType],
    ) -> BTreeMap<InstanceType, f64> {
        let client = Client::from_conf(client_config(config));
        let price = |name: &InstanceType| {
            let (client, name) = (client.clone(), name.clone());
            async move {
                let known = self.known(region, &name);
                let usd = match known {
                    Some(usd) => usd,
                    None => self.remember(region, &name, ask(&client, region, &name).await?),
                };
                Some((name, usd))
            }
        };
        join_all(types.iter().map(price)).await.into_iter().flatten().collect()
    }

    fn known(&self, region: &Region, name: &InstanceType) -> Option<f64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(region.clone(), name.clone())).copied()
    }

    fn remember(&self, region: &Region, name: &InstanceType, usd: f64) -> f64 {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((region.clone(), name.clone()), usd);
        usd
    }
}

fn client_config(config: &SdkConfig) -> config::Config {
    let limits = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    Builder::from(config)
        .region(config::Region::new(KEPT_IN))
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits)
        .build()
}

/// `None` also where the account may not ask, or can't: a price is no reason
/// to fail.
async fn ask(client: &Client, region: &Region, name: &InstanceType) -> Option<f64> {
    let which = [("regionCode", region.as_str()), ("instanceType", name.as_str())];
    let filters: Option<Vec<_>> =
        which.iter().chain(&PRODUCT).map(|(field, value)| is(field, value)).collect();
    let call = client.get_products().service_code("AmazonEC2").set_filters(filters);
    let price = match call.send().await {
        Ok(answer) => {
            let products = answer.price_list.unwrap_or_default();
            products
                .iter()
                .find_map(|product| usd_per_hour(product))
                .ok_or_else(|| "no on-demand price is listed".to_owned())
        }
        Err(error) => Err(DisplayErrorContext(&error).to_string()),
    };
    if let Err(reason) = &price {
        debug!(%region, instance_type = %name, reason = %visible(reason), "price unknown");
    }
    price.ok()
}

fn is(field: &str, value: &str) -> Option<Filter> {
    Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build().ok()
}

/// A product is a JSON text of its own; of its terms there is one on demand.
fn usd_per_hour(product: &str) -> Option<f64> {
    let product: Value = serde_json::from_str(product).ok()?;
    let terms = product["terms"]["OnDemand"].as_object()?.values();
    let mut rates =
        terms.filter_map(|term| term["priceDimensions"].as_object()).flat_map(|d| d.values());
    let hourly = rates.find(|rate| rate["unit"] == "Hrs")?;
    let usd: f64 = hourly["pricePerUnit"]["USD"].as_str()?.parse().ok()?;
    (usd.is_finite() && usd > 0.0).then_some(usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(unit: &str, usd: &str) -> String {
        let rate = serde_json::json!({"unit": unit, "pricePerUnit": {"USD": usd}});
        let term = serde_json::json!({"priceDimensions": {"S.T.R": rate}});
        serde_json::json!({"product": {"sku": "S"}, "terms": {"OnDemand": {"S.T": term}}})
            .to_string()
    }

    #[test]
    fn a_price_an_hour_in_dollars_is_taken_and_nothing_else() {
        assert_eq!(usd_per_hour(&product("Hrs", "0.3840000000")), Some(0.384));
        for other in
            [product("Quantity", "0.384"), product("Hrs", "0.0000000000"), product("Hrs", "-")]
        {
            assert_eq!(usd_per_hour(&other), None, "{other}");
        }
        for other in ["", "[]", "{}", r#"{"terms": {"Reserved": {}}}"#] {
            assert_eq!(usd_per_hour(other), None, "{other}");
        }
    }
}
