//! What is wrong with the configuration as a whole, in words.

use std::fmt;

use super::system::file_error;
use crate::config::setup::SetupError;

/// Cause and remedy in one line.
impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => {
                let what = format!("{}: the configuration cannot be read", path.display());
                file_error(&what, *error, "check the file's path and permissions").fmt(f)
            }
            Self::Config(error) => error.fmt(f),
            Self::NoEndpoint(file) => write!(
                f,
                "{}: endpoint is missing: the broker's host name (AWS: `aws iot describe-endpoint --endpoint-type \
                 iot:Data-ATS`)",
                file.display()
            ),
            Self::BadEndpoint(endpoint) => {
                write!(f, "endpoint = {endpoint}: this is neither a host name nor an address")
            }
            Self::Certificates(problem) => problem.fmt(f),
        }
    }
}
