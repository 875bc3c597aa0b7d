//! From the command line's options to what the agent runs with: configuration, certificates, target.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::config::identity::Identity;
use crate::config::{Config, ConfigError};
use crate::net::credentials::Credentials;
use crate::net::link::Target;
use crate::net::tls::CertificateProblem;
use crate::platform::os_error::OsError;

/// Where the configuration is, unless `--config` says otherwise.
pub const CONFIG_FILE: &str = "/etc/pivitals.conf";

/// Longer files are no configurations.
const CONFIG_LEN_MAX: u64 = 64 * 1024;

/// What holds for every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The configuration file, if it was named; then it has to be there.
    pub config: Option<PathBuf>,
    /// `KEY=VALUE`, in the order given.
    pub set: Vec<String>,
    /// Where `proc`, `sys`, `dev` and the mount points are looked up.
    pub root: PathBuf,
}

/// Why there is no setup. `report::failure` has the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupError {
    /// The configuration file cannot be read.
    Unreadable(PathBuf, OsError),
    /// An error in the configuration.
    Config(ConfigError),
    /// The configuration in this file has no `endpoint`.
    NoEndpoint(PathBuf),
    /// The endpoint is neither a host name nor an address.
    BadEndpoint(String),
    /// A certificate file is missing or unusable.
    Certificates(CertificateProblem),
}

/// All that an agent that publishes needs, checked.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// The broker's host name.
    pub endpoint: String,
    /// Where to connect.
    pub target: Target,
    /// With which certificates.
    pub credentials: Credentials,
}

impl Setup {
    /// Reads the configuration and the certificates.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(options: &Options) -> Result<Self, Vec<SetupError>> {
        let config = load_config(options)?;
        let credentials = Credentials::load(config.certificates.clone(), config.needs_alpn());
        let mut errors = Vec::new();
        if config.endpoint.is_none() {
            let file = options.config.clone().unwrap_or_else(|| CONFIG_FILE.into());
            errors.push(SetupError::NoEndpoint(file));
        }
        match (config.endpoint.clone(), credentials) {
            (Some(endpoint), Ok(credentials)) => match Target::new(&endpoint, config.port) {
                Some(target) => Ok(Self { config, endpoint, target, credentials }),
                None => Err(vec![SetupError::BadEndpoint(endpoint)]),
            },
            (_, credentials) => {
                errors
                    .extend(credentials.err().unwrap_or_default().into_iter().map(SetupError::Certificates));
                Err(errors)
            }
        }
    }

    /// Takes the place of this setup, and gives the old configuration. The certificates that have
    /// served stay at hand, for the case that the broker does not take the new ones.
    pub fn replace(&mut self, new: Self) -> Config {
        self.credentials.replace(new.credentials);
        (self.endpoint, self.target) = (new.endpoint, new.target);
        std::mem::replace(&mut self.config, new.config)
    }
}

/// Reads the configuration alone. Without `--config`, a file that is not there is an empty one.
///
/// # Errors
/// Everything that is wrong.
pub fn load_config(options: &Options) -> Result<Config, Vec<SetupError>> {
    let path: PathBuf = options.config.clone().unwrap_or_else(|| CONFIG_FILE.into());
    read_config(&path, options, &Identity::read(&options.root))
}

/// Reads the configuration at `path`, for a device of that identity. It may be missing, unless it was
/// named.
///
/// # Errors
/// Everything that is wrong.
pub fn read_config(path: &Path, options: &Options, identity: &Identity) -> Result<Config, Vec<SetupError>> {
    let text = match read(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && options.config.is_none() => None,
        Err(error) => return Err(vec![SetupError::Unreadable(path.to_owned(), error.into())]),
    };
    let name = path.display().to_string();
    let file = text.as_deref().map(|text| (name.as_str(), text));
    Config::read(file, &options.set, identity)
        .map_err(|errors: Vec<ConfigError>| errors.into_iter().map(SetupError::Config).collect())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(CONFIG_LEN_MAX + 1).read_to_string(&mut text)?;
    if length as u64 > CONFIG_LEN_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
