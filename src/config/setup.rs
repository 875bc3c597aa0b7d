//! From the command line's options to what the agent runs with: configuration, certificates, target.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::cli::{CONFIG_FILE, Options};
use crate::clock::Utc;
use crate::config::{Config, ConfigError};
use crate::credentials::Credentials;
use crate::failure::{Context, Failure, Words, file_error};
use crate::identity::Identity;
use crate::link::Target;

/// Longer files are no configurations.
const CONFIG_LEN_MAX: u64 = 64 * 1024;

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
    /// Everything that is wrong, a line each.
    pub fn load(options: &Options) -> Result<Self, Vec<String>> {
        let config = load_config(options)?;
        let credentials = Credentials::load(config.certificates.clone(), config.needs_alpn());
        let mut errors = Vec::new();
        if config.endpoint.is_none() {
            let file = options.config.as_deref().unwrap_or(Path::new(CONFIG_FILE));
            errors.push(format!(
                "{}: endpoint is missing: the broker's host name (AWS: `aws iot describe-endpoint --endpoint-type \
                 iot:Data-ATS`)",
                file.display()
            ));
        }
        match (config.endpoint.clone(), credentials) {
            (Some(endpoint), Ok(credentials)) => match Target::new(&endpoint, config.port) {
                Some(target) => Ok(Self { config, endpoint, target, credentials }),
                None => {
                    Err(vec![format!("endpoint = {endpoint}: this is neither a host name nor an address")])
                }
            },
            (_, credentials) => {
                errors.extend(credentials.err().unwrap_or_default().iter().map(ToString::to_string));
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

    /// A failure in words, with the values in question; `now` is what the system clock shows.
    #[must_use]
    pub fn explain(&self, failure: &Failure, now: Utc) -> Words {
        let loaded = self.credentials.current();
        failure.explain(Context {
            endpoint: &self.endpoint,
            port: self.config.port,
            client_id: &self.config.client_id,
            topics: &self.config.topics,
            certificate: &loaded.files.certificate.display().to_string(),
            validity: loaded.validity,
            now,
            resolvers: &resolvers(),
        })
    }
}

/// The addresses in the nameserver lines of /etc/resolv.conf (resolv.conf(5)): that file is what the
/// system's resolver reads, whatever the root.
#[must_use]
pub fn resolvers() -> String {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let addresses = text.lines().filter_map(|line| line.strip_prefix("nameserver")).map(str::trim);
    addresses.collect::<Vec<_>>().join(", ")
}

/// Reads the configuration alone. Without `--config`, a file that is not there is an empty one.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn load_config(options: &Options) -> Result<Config, Vec<String>> {
    let path: PathBuf = options.config.clone().unwrap_or_else(|| CONFIG_FILE.into());
    read_config(&path, options, &Identity::read(&options.root))
}

/// Reads the configuration at `path`, for a device of that identity. It may be missing, unless it was
/// named.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn read_config(path: &Path, options: &Options, identity: &Identity) -> Result<Config, Vec<String>> {
    let name = path.display().to_string();
    let text = match read(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && options.config.is_none() => None,
        Err(error) => {
            return Err(vec![format!(
                "{name}: the configuration cannot be read: {}",
                file_error(error.kind())
            )]);
        }
    };
    let file = text.as_deref().map(|text| (name.as_str(), text));
    Config::read(file, &options.set, identity)
        .map_err(|errors: Vec<ConfigError>| errors.iter().map(ToString::to_string).collect())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(CONFIG_LEN_MAX + 1).read_to_string(&mut text)?;
    if length as u64 > CONFIG_LEN_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
