//! Plain scalars as YAML 1.1 resolves them.
//!
//! Source: the implicit resolvers and constructors of `PyYAML`'s `SafeLoader`,
//! which is what Ray reads a config with. They differ from YAML 1.2 in
//! booleans (`yes`, `on`), octal (`0777`), base 60 (`1:30`), underscores and
//! in floats (`1e3` is text: a float needs a point, its exponent a sign).

/// The value of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Resolved {
    /// `~`, `null` or nothing at all.
    Null,
    /// `yes`, `off`, `true`, …
    Bool(bool),
    /// A whole number; one that does not fit is the nearest that does, which
    /// every range check refuses.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A date or a timestamp, which YAML 1.1 does not hand on as text.
    Date,
    /// Text.
    Text,
}

/// The value of the plain (unquoted, untagged) scalar `text`.
pub(in crate::config) fn resolve(text: &str) -> Resolved {
    let resolved = match text.as_bytes() {
        // What is no number can't begin so, and the other way round.
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(text),
        _ => null(text).or_else(|| boolean(text)),
    };
    resolved.unwrap_or(Resolved::Text)
}

/// The value of the scalar `text` under the tag `!!<tag>`; `None` where the
/// tag is not one of a config or the text not of its form.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Option<Resolved> {
    match tag {
        "str" => Some(Resolved::Text),
        "null" => Some(Resolved::Null),
        "bool" => boolean(text),
        "int" => integer(text).map(Resolved::Int),
        "float" => float(text).or_else(|| text.parse().ok()).map(Resolved::Float),
        "timestamp" => is_date(text).then_some(Resolved::Date),
        _ => None,
    }
}

/// A number, or a date, which begins as one.
fn number(text: &str) -> Option<Resolved> {
    integer(text)
        .map(Resolved::Int)
        .or_else(|| float(text).map(Resolved::Float))
        .or_else(|| is_date(text).then_some(Resolved::Date))
}

fn null(text: &str) -> Option<Resolved> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Resolved::Null)
}

fn boolean(text: &str) -> Option<Resolved> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Resolved::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Resolved::Bool(false))
        }
        _ => None,
    }
}

/// Splits off a sign: whether it was a minus, and the rest.
fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let value = match digits.as_bytes() {
        [b'0', b'b', rest @ ..] => radix(rest, 2),
        [b'0', b'x', rest @ ..] => radix(rest, 16),
        [b'0'] => Some(0),
        [b'0', rest @ ..] => radix(rest, 8),
        [b'1'..=b'9', ..] => base_60(digits).or_else(|| radix(digits.as_bytes(), 10)),
        _ => None,
    }?;
    let signed = if negative { -value } else { value };
    Some(i64::try_from(signed).unwrap_or(if negative { i64::MIN } else { i64::MAX }))
}

/// Digits of `radix` with underscores anywhere, but at least one digit.
fn radix(digits: &[u8], radix: u32) -> Option<i128> {
    let mut value = None;
    for &byte in digits.iter().filter(|byte| **byte != b'_') {
        let digit = i128::from(char::from(byte).to_digit(radix)?);
        value = Some(push_digit(value.unwrap_or(0), radix, digit));
    }
    value
}

/// Saturates far beyond `i64`, so that the length of a number can't overflow.
fn push_digit(value: i128, radix: u32, digit: i128) -> i128 {
    value.saturating_mul(i128::from(radix)).saturating_add(digit)
}

/// `1:30` is ninety: YAML 1.1 reads digits between colons to base 60.
fn base_60(digits: &str) -> Option<i128> {
    let (first, rest) = digits.split_once(':')?;
    let mut value = radix(first.as_bytes(), 10)?;
    for part in rest.split(':') {
        value = push_digit(value, 60, i128::from(sixtieth(part)?));
    }
    Some(value)
}

/// One or two digits below sixty.
fn sixtieth(part: &str) -> Option<u8> {
    let valid = matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    valid.then(|| part.parse().ok())?
}

fn float(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let value = match rest {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        // `PyYAML` takes no sign before `.nan` or a bare `.5`.
        ".nan" | ".NaN" | ".NAN" if rest == text => f64::NAN,
        _ if rest.starts_with('.') && rest != text => return None,
        _ => base_60_float(rest).or_else(|| decimal(rest))?,
    };
    Some(if negative { -value } else { value })
}

/// `12.5`, `1_000.`, `.5`, `1.0e+3`.
fn decimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let has_digits = match (whole, fraction) {
        ("", fraction) => fraction.starts_with(|c: char| c.is_ascii_digit()),
        (whole, _) => whole.starts_with(|c: char| c.is_ascii_digit()),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let valid_exponent = exponent.is_none_or(is_signed_digits);
    if !(has_digits && plain(whole) && plain(fraction) && valid_exponent) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

fn is_signed_digits(exponent: &str) -> bool {
    exponent
        .strip_prefix(['+', '-'])
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// `1:30.5` is ninety and a half.
fn base_60_float(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.')?;
    let minutes = base_60(whole)?;
    let fraction: f64 = format!("0.{}", fraction.replace('_', "")).parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a float is what was written")]
    Some(minutes as f64 + fraction)
}

/// `2024-01-31`, or such a day with a time behind it.
fn is_date(text: &str) -> bool {
    let Some((day, time)) = text.split_at_checked(10) else { return is_short_date_time(text) };
    if !matches_shape(day, "dddd-dd-dd") {
        return is_short_date_time(text);
    }
    time.is_empty() || is_time(time)
}

/// With a time, month and day may have one digit: `2024-1-5 10:00:00`.
fn is_short_date_time(text: &str) -> bool {
    let Some(end) = text.find(['T', 't', ' ', '\t']) else { return false };
    let (day, time) = text.split_at(end);
    let shapes = ["dddd-d-d", "dddd-dd-d", "dddd-d-dd", "dddd-dd-dd"];
    shapes.iter().any(|shape| matches_shape(day, shape)) && is_time(time)
}

fn is_time(time: &str) -> bool {
    let time = time.trim_start_matches(['T', 't', ' ', '\t']);
    let clock = time.split(['.', 'Z', '+', '-', ' ', '\t']).next().unwrap_or_default();
    matches_shape(clock, "dd:dd:dd") || matches_shape(clock, "d:dd:dd")
}

/// Whether `text` has the form `shape`, in which `d` stands for a digit.
fn matches_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == form,
        })
}

#[cfg(test)]
mod tests {
    use super::{Resolved::*, *};

    /// Each expectation was taken from `PyYAML` 6.0.3's `safe_load`.
    #[test]
    fn plain_scalars_are_read_as_pyyaml_reads_them() {
        let table = [
            ("", Null),
            ("~", Null),
            ("null", Null),
            ("Null", Null),
            ("nULL", Text),
            ("yes", Bool(true)),
            ("On", Bool(true)),
            ("TRUE", Bool(true)),
            ("no", Bool(false)),
            ("Off", Bool(false)),
            ("y", Text),
            ("tRUE", Text),
            ("0", Int(0)),
            ("-0", Int(0)),
            ("12", Int(12)),
            ("+12", Int(12)),
            ("-1_000", Int(-1000)),
            ("0777", Int(511)),
            ("-017", Int(-15)),
            ("08", Text),
            ("0o17", Text),
            ("0x1F", Int(31)),
            ("0x_1_f", Int(31)),
            ("0b101", Int(5)),
            ("0b2", Text),
            ("1:30", Int(90)),
            ("-1:30", Int(-90)),
            ("190:20:30", Int(685_230)),
            ("1:75", Text),
            ("99999999999999999999", Int(i64::MAX)),
            ("-99999999999999999999", Int(i64::MIN)),
            ("1.5", Float(1.5)),
            ("-1.5", Float(-1.5)),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("-.5", Text),
            ("1_0.2_5", Float(10.25)),
            ("1.0e+3", Float(1000.0)),
            ("1.0e3", Text),
            ("1e3", Text),
            ("1:30.5", Float(90.5)),
            (".inf", Float(f64::INFINITY)),
            ("-.INF", Float(f64::NEG_INFINITY)),
            ("+.nan", Text),
            ("2024-01-31", Date),
            ("2024-1-31", Text),
            ("2024-1-31 1:02:03", Date),
            ("2024-01-31T10:20:30Z", Date),
            ("1.2.3", Text),
            ("1.2e+", Text),
            (".", Text),
            ("_1:30.5", Text),
            ("-", Text),
            ("+", Text),
            ("us-west-2", Text),
            ("é", Text),
            ("ééééééééé", Text),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text), expected, "{text:?}");
        }
        assert!(matches!(resolve(".nan"), Float(value) if value.is_nan()));
    }

    #[test]
    fn tags_force_a_type() {
        assert_eq!(resolve_tagged("str", "12"), Some(Text));
        assert_eq!(resolve_tagged("int", "12"), Some(Int(12)));
        assert_eq!(resolve_tagged("int", "twelve"), None);
        assert_eq!(resolve_tagged("float", "1"), Some(Float(1.0)));
        assert_eq!(resolve_tagged("set", "1"), None);
    }

    #[test]
    fn a_number_of_a_million_digits_is_read_at_once() {
        assert_eq!(resolve(&"9".repeat(1_000_000)), Int(i64::MAX));
        assert_eq!(resolve(&"1:5".repeat(1_000_000)), Int(i64::MAX));
    }
}
