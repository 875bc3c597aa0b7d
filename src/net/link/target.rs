//! Where a link leads.

use std::ffi::{CStr, CString};

use rustls::pki_types::ServerName;

/// A broker's host name and port.
#[derive(Debug, Clone)]
pub struct Target {
    host: CString,
    server_name: ServerName<'static>,
    port: u16,
}

impl Target {
    /// `None` if `host` is neither a DNS name nor an address. The configuration is checked for that.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Option<Self> {
        let server_name = ServerName::try_from(host.to_owned()).ok()?;
        Some(Self { host: CString::new(host).ok()?, server_name, port })
    }

    /// The name to look up.
    pub(super) fn host(&self) -> &CStr {
        &self.host
    }

    /// The name that the broker's certificate has to have.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// The TCP port.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}
