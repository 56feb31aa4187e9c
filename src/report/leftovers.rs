//! What muster made and is still there, and how each of it is removed.

use super::{Line, Paint, Tone, line};
use crate::{
    cloud::{Tagged, tags},
    engine::{LeftRoute, Leftovers},
    model::Region,
};

/// Renders `leftovers` for people: a line each, with the command that removes it where
/// `muster down --network` does not.
pub fn leftovers(leftovers: &Leftovers, paint: Paint) -> Vec<Line> {
    let mut lines = Vec::new();
    let built = leftovers.found.iter().any(|(_, one)| one.kind == "vpc");
    if !leftovers.found.is_empty() {
        lines.extend([
            Line::empty(),
            paint.paint(Tone::Strong, "Still there, made by muster").into(),
        ]);
        for (region, one) in &leftovers.found {
            let way = removal(region, one, built).unwrap_or_default();
            let line = format!("  {region:16} {:24} {:26} {way}", one.kind, one.id);
            lines.push(line.trim_end().into());
        }
        if built {
            lines.push("  `muster down --network` removes the networks.".into());
        }
    }
    lines.extend(unrecorded(&leftovers.unrecorded, paint));
    lines.extend(routes(&leftovers.routes, paint));
    for (region, failure) in &leftovers.unknown {
        let mark = paint.paint(Tone::Care, "?");
        let what = format!(" what else muster made in {region} is not known: {failure}");
        lines.push(line![mark, what]);
    }
    lines
}

/// Tags can be set by anybody: what is in no journal is not called muster's.
fn unrecorded(found: &[(Region, Tagged)], paint: Paint) -> Vec<Line> {
    if found.is_empty() {
        return Vec::new();
    }
    let title = "Tagged with this project's name, and in none of its journals";
    let mut lines = vec![Line::empty(), paint.paint(Tone::Strong, title).into()];
    let of = |(region, one): &(Region, Tagged)| {
        Line::from(format!("  {region:16} {:24} {}", one.kind, one.id))
    };
    lines.extend(found.iter().map(of));
    lines.push("  Created by another machine or person, or before the journal was lost.".into());
    lines
}

/// muster takes nothing out of tables that it did not make.
fn routes(routes: &[(Region, LeftRoute)], paint: Paint) -> Vec<Line> {
    if routes.is_empty() {
        return Vec::new();
    }
    let title = "Routes through muster's peering connections, in tables of your own";
    let mut lines = vec![Line::empty(), paint.paint(Tone::Strong, title).into()];
    for (region, LeftRoute { table, destination, peering }) in routes {
        lines.push(format!("  {region:16} {table} sends {destination} to {peering}").into());
        lines.push(
            format!(
                "  {:16} aws ec2 delete-route --region {region} --route-table-id {table} \
             --destination-cidr-block {destination}",
                ""
            )
            .into(),
        );
    }
    lines.push("  muster leaves them; without their connection they lead nowhere.".into());
    lines
}

/// The command that removes `one`; none where it goes with a network that
/// muster built, or with its group. `built`: there is such a network.
fn removal(region: &Region, one: &Tagged, built: bool) -> Option<String> {
    let id = &one.id;
    let slot = one.tags.get(tags::REMEDY).map(String::as_str).unwrap_or_default();
    let command = match one.kind.as_str() {
        "key-pair" => format!("delete-key-pair --region {region} --key-pair-id {id}"),
        "image" => format!("deregister-image --region {region} --image-id {id}"),
        "snapshot" => format!("delete-snapshot --region {region} --snapshot-id {id}"),
        "volume" => format!("delete-volume --region {region} --volume-id {id}"),
        "security-group" if slot != format!("{region}/group") => {
            format!("delete-security-group --region {region} --group-id {id}")
        }
        "security-group-rule" => {
            // Rules of groups that muster made go with those.
            let group = slot.strip_prefix(&format!("{region}/rules-"))?;
            format!(
                "revoke-security-group-ingress --region {region} --group-id {group} \
                 --security-group-rule-ids {id}"
            )
        }
        "vpc-peering-connection" if !built => format!(
            "delete-vpc-peering-connection --region {region} --vpc-peering-connection-id {id}"
        ),
        _ => return None,
    };
    Some(format!("aws ec2 {command}"))
}
