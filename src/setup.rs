//! From the command line's options to what the agent runs with: configuration, certificates, target.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::cli::{CONFIG_FILE, Options};
use crate::config::{Config, ConfigError};
use crate::failure::{Context, file_error};
use crate::identity::Identity;
use crate::link::Target;
use crate::tls::CertificateFiles;

/// Longer files are no configurations.
const CONFIG_LEN_MAX: u64 = 64 * 1024;

/// All that an agent that publishes needs, checked.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// Where to connect, and with which certificates.
    pub target: Target,
    endpoint: String,
    certificate: String,
}

impl Setup {
    /// Reads the configuration and the certificates.
    ///
    /// # Errors
    /// Everything that is wrong, a line each.
    pub fn load(options: &Options) -> Result<Self, Vec<String>> {
        let config = load_config(options)?;
        let paths = &config.certificates;
        let files = CertificateFiles::find(
            &paths.folder,
            paths.ca.as_deref(),
            paths.certificate.as_deref(),
            paths.key.as_deref(),
        );
        let loaded = files.and_then(|files| Ok((files.load(config.needs_alpn())?.tls, files)));
        let mut errors = Vec::new();
        if config.endpoint.is_none() {
            let file = options.config.as_deref().unwrap_or(Path::new(CONFIG_FILE));
            errors.push(format!(
                "{}: endpoint is missing: the broker's host name (AWS: `aws iot describe-endpoint --endpoint-type \
                 iot:Data-ATS`)",
                file.display()
            ));
        }
        match (config.endpoint.clone(), loaded) {
            (Some(endpoint), Ok((tls, files))) => match Target::new(&endpoint, config.port, tls) {
                Some(target) => {
                    let certificate = files.certificate.display().to_string();
                    Ok(Self { config, target, endpoint, certificate })
                }
                None => {
                    Err(vec![format!("endpoint = {endpoint}: this is neither a host name nor an address")])
                }
            },
            (_, loaded) => {
                errors.extend(loaded.err().unwrap_or_default().iter().map(ToString::to_string));
                Err(errors)
            }
        }
    }

    /// The values that failures are explained with.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            endpoint: &self.endpoint,
            port: self.config.port,
            client_id: &self.config.client_id,
            topic: &self.config.topic,
            certificate: &self.certificate,
        }
    }
}

/// Reads the configuration alone. Without `--config`, a file that is not there is an empty one.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn load_config(options: &Options) -> Result<Config, Vec<String>> {
    let path: PathBuf = options.config.clone().unwrap_or_else(|| CONFIG_FILE.into());
    let name = path.display().to_string();
    let text = match read(&path) {
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
    let identity = Identity::read(&options.root);
    Config::read(file, &options.set, &identity)
        .map_err(|errors: Vec<ConfigError>| errors.iter().map(ToString::to_string).collect())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(CONFIG_LEN_MAX + 1).read_to_string(&mut text)?;
    if length as u64 > CONFIG_LEN_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
