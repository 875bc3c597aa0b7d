//! The way to the broker: certificates, name lookup, TCP, TLS.

pub mod conversation;
pub mod credentials;
pub mod link;
pub mod tls;
