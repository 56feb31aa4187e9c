//! `InstanceMarketOptions`: on demand or spot.

use jiff::{Timestamp, civil};

use crate::{
    cloud::{Market, Spot},
    config::{
        diagnostic::ids,
        form::{Form, Place},
        text,
    },
};

/// The values of `MarketType` that are neither of the two usual ones.
const OTHER: [&str; 2] = ["capacity-block", "interruptible-capacity-reservation"];
const ONE_TIME: &str = "remove it: muster asks for one-time spot instances, since a persistent \
                        request would launch again what `muster down` ends";

pub(super) fn read(place: Place<'_>, form: &mut Form) -> Market {
    let Some(place) = form.map(place) else { return Market::OnDemand };
    let kind = place.get("MarketType").and_then(|kind| market_type(&kind, form));
    let options = place.get("SpotOptions").and_then(|options| form.map(options));
    let spot = options.map(|options| spot(&options, form)).unwrap_or_default();
    match kind.as_deref() {
        Some("spot") => Market::Spot(spot),
        Some("on-demand") | None => Market::OnDemand,
        Some(other) => Market::Other(other.to_owned()),
    }
}

fn market_type(place: &Place<'_>, form: &mut Form) -> Option<String> {
    let kind = form.text(place)?.value;
    if ["spot", "on-demand"].contains(&kind.as_str()) || OTHER.contains(&kind.as_str()) {
        return Some(kind);
    }
    let message = format!("`{}` is no market", text::shown(&kind));
    let help = format!("EC2 has spot, on-demand, {}", OTHER.join(", "));
    form.report(place.error(ids::INVALID_VALUE, message).help(help));
    None
}

fn spot(options: &Place<'_>, form: &mut Form) -> Spot {
    only(options, "SpotInstanceType", "one-time", form);
    only(options, "InstanceInterruptionBehavior", "terminate", form);
    Spot {
        max_price: options.get("MaxPrice").and_then(|price| max_price(&price, form)),
        valid_until: options.get("ValidUntil").and_then(|until| valid_until(&until, form)),
        block_duration_minutes: options
            .get("BlockDurationMinutes")
            .and_then(|minutes| form.count(&minutes)),
    }
}

/// Reports what muster does not carry out: anything but `supported`.
fn only(options: &Place<'_>, key: &str, supported: &str, form: &mut Form) {
    let Some(place) = options.get(key) else { return };
    let Some(text) = form.text(&place) else { return };
    if *text != supported {
        let message = format!("muster does not carry out `{}` here", text::shown(&text));
        form.not_yet(&place.location(), &place.path(), message, ONE_TIME);
    }
}

/// Text, as EC2 takes it; Ray's users also write it as a number.
fn max_price(place: &Place<'_>, form: &mut Form) -> Option<String> {
    let price = form.text(place)?.value;
    let valid = price.parse::<f64>().is_ok_and(|price| price.is_finite() && price > 0.0);
    if !valid {
        let message = format!("`{}` is not a price", text::shown(&price));
        let help = "give US dollars an hour as text: \"0.05\"";
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    valid.then_some(price)
}

/// A time, in quotes or not; a day begins at midnight UTC.
fn valid_until(place: &Place<'_>, form: &mut Form) -> Option<Timestamp> {
    let text = form.text_or_date(place)?;
    let day = || {
        let day: civil::Date = text.parse().ok()?;
        day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
    };
    let time = text.parse().ok().or_else(day);
    if time.is_none() {
        let message = format!("`{}` is not a time", text::shown(&text));
        let help = "write it like `2030-01-31T12:00:00Z`";
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    time
}
