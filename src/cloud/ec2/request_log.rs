//! Records each attempt of a call to EC2 with its request id, for muster's own log.
//! Neither parameters nor headers are recorded: they may contain secrets.

use aws_sdk_ec2::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use crate::model::{Region, visible};

/// The header with the id that AWS's support asks for.
const REQUEST_ID: &str = "x-amzn-requestid";

/// Logs the attempts of one region's client.
#[derive(Debug)]
pub(super) struct RequestLog(Region);

impl RequestLog {
    pub(super) fn new(region: &Region) -> Self {
        Self(region.clone())
    }
}

impl Intercept for RequestLog {
    fn name(&self) -> &'static str {
        "RequestLog"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let operation = config.load::<Metadata>().map_or("unknown", Metadata::name);
        let request_id = response.headers().get(REQUEST_ID).unwrap_or("none");
        tracing::debug!(
            region = %self.0,
            operation,
            status = response.status().as_u16(),
            request_id = %visible(request_id),
            "response"
        );
        Ok(())
    }
}
