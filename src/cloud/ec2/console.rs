//! `GetConsoleOutput`.

use super::client::RegionClient;
use crate::{
    cloud::{CloudError, ConsoleOutput, Result},
    model::InstanceId,
};

const OPERATION: &str = "GetConsoleOutput";

/// The instance's console output as of now, else as EC2 took it last: only
/// instances of the Nitro system have the first.
pub(super) async fn read(at: &RegionClient, id: &InstanceId) -> Result<Option<ConsoleOutput>> {
    match get(at, id, true).await {
        Err(error) if is_not_supported(&error) => get(at, id, false).await,
        answer => answer,
    }
}

fn is_not_supported(error: &CloudError) -> bool {
    error.code.as_deref() == Some("UnsupportedOperation")
}

async fn get(at: &RegionClient, id: &InstanceId, latest: bool) -> Result<Option<ConsoleOutput>> {
    let call = at.client.get_console_output().instance_id(id.as_str());
    let call = call.set_latest(latest.then_some(true));
    let answer = call.send().await.map_err(|error| at.failed(OPERATION, &error))?;
    let Some(output) = answer.output.filter(|output| !output.is_empty()) else { return Ok(None) };
    let output =
        ConsoleOutput::decode(&output).ok_or_else(|| at.unreadable(OPERATION, "output"))?;
    Ok(Some(output))
}
