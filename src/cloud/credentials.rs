//! The operator's AWS credentials, for nodes that have no instance profile.

use crate::model::Secret;

/// What the file on a node begins with: one that begins otherwise is not muster's.
pub const CREDENTIALS_MARK: &str = "# Sent by muster (aws_credentials: copy)";

/// AWS credentials as they are at one moment; temporary ones expire.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `aws_access_key_id`.
    pub access_key_id: Secret,
    /// `aws_secret_access_key`.
    pub secret_access_key: Secret,
    /// `aws_session_token`, of temporary ones.
    pub session_token: Option<Secret>,
}

impl Credentials {
    /// As `~/.aws/credentials` has them, which boto3, pyarrow and the aws
    /// command read.
    pub fn as_file(&self) -> Secret {
        let mut file = format!("{CREDENTIALS_MARK}\n[default]\n").into_bytes();
        let mut line = |key: &str, value: &Secret| {
            file.extend_from_slice(key.as_bytes());
            file.extend_from_slice(b" = ");
            file.extend_from_slice(value.expose());
            file.push(b'\n');
        };
        line("aws_access_key_id", &self.access_key_id);
        line("aws_secret_access_key", &self.secret_access_key);
        if let Some(token) = &self.session_token {
            line("aws_session_token", token);
        }
        Secret::new(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_one_that_boto_reads() {
        let credentials = Credentials {
            access_key_id: Secret::new("AKIA"),
            secret_access_key: Secret::new("s/e+c"),
            session_token: Some(Secret::new("t")),
        };
        let file = credentials.as_file();
        assert_eq!(
            String::from_utf8_lossy(file.expose()),
            format!(
                "{CREDENTIALS_MARK}\n[default]\naws_access_key_id = AKIA\n\
                 aws_secret_access_key = s/e+c\naws_session_token = t\n"
            )
        );
        assert!(!format!("{credentials:?}").contains("AKIA"), "{credentials:?}");
    }
}
