//! The broker against a client that writes its bytes by hand.

mod client;
mod ends;
mod faults;
mod good;
mod tls;
