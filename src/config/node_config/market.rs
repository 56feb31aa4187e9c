//! `InstanceMarketOptions`: on demand or spot.

use jiff::{Timestamp, civil};

use crate::{
    cloud::{Market, Spot},
    config::{
        diagnostic::ids,
        reader::{ConfigReader, Cursor},
        text,
    },
};

/// The values of `MarketType` that are neither of the two usual ones.
const OTHER: [&str; 2] = ["capacity-block", "interruptible-capacity-reservation"];
const ONE_TIME: &str = "remove it: muster asks for one-time spot instances, since a persistent \
                        request would launch again what `muster down` ends";

pub(super) fn read(place: Cursor<'_>, reader: &mut ConfigReader) -> Market {
    let Some(place) = reader.map(place) else { return Market::OnDemand };
    let kind = place.get("MarketType").and_then(|kind| market_type(&kind, reader));
    let options = place.get("SpotOptions").and_then(|options| reader.map(options));
    let spot = options.map(|options| spot(&options, reader)).unwrap_or_default();
    match kind.as_deref() {
        Some("spot") => Market::Spot(spot),
        Some("on-demand") | None => Market::OnDemand,
        Some(other) => Market::Other(other.to_owned()),
    }
}

fn market_type(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<String> {
    let kind = reader.text(place)?.value;
    if ["spot", "on-demand"].contains(&kind.as_str()) || OTHER.contains(&kind.as_str()) {
        return Some(kind);
    }
    let message = format!("`{}` is no market", text::shown(&kind));
    let help = format!("EC2 has spot, on-demand, {}", OTHER.join(", "));
    reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    None
}

fn spot(options: &Cursor<'_>, reader: &mut ConfigReader) -> Spot {
    only(options, "SpotInstanceType", "one-time", reader);
    only(options, "InstanceInterruptionBehavior", "terminate", reader);
    Spot {
        max_price: options.get("MaxPrice").and_then(|price| max_price(&price, reader)),
        valid_until: options.get("ValidUntil").and_then(|until| valid_until(&until, reader)),
        block_duration_minutes: options
            .get("BlockDurationMinutes")
            .and_then(|minutes| reader.count(&minutes)),
    }
}

/// Reports what muster does not carry out: anything but `supported`.
fn only(options: &Cursor<'_>, key: &str, supported: &str, reader: &mut ConfigReader) {
    let Some(place) = options.get(key) else { return };
    let Some(text) = reader.text(&place) else { return };
    if *text != supported {
        let message = format!("muster does not carry out `{}` here", text::shown(&text));
        reader.not_yet(&place.location(), &place.path(), message, ONE_TIME);
    }
}

/// Text, as EC2 takes it; Ray's users also write it as a number.
fn max_price(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<String> {
    let price = reader.text(place)?.value;
    let valid = price.parse::<f64>().is_ok_and(|price| price.is_finite() && price > 0.0);
    if !valid {
        let message = format!("`{}` is not a price", text::shown(&price));
        let help = "give US dollars an hour as text: \"0.05\"";
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    valid.then_some(price)
}

/// A time, in quotes or not; a day begins at midnight UTC.
fn valid_until(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Timestamp> {
    let text = reader.text_or_date(place)?;
    let day = || {
        let day: civil::Date = text.parse().ok()?;
        day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
    };
    let time = text.parse().ok().or_else(day);
    if time.is_none() {
        let message = format!("`{}` is not a time", text::shown(&text));
        let help = "write it like `2030-01-31T12:00:00Z`";
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    time
}
