//! The real [`Cloud`](super::Cloud): the AWS SDK. A file per resource.
