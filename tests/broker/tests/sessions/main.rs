//! The broker against a client that writes its bytes by hand.

mod answers;
mod aws;
mod client;
mod ends;
mod faults;
mod good;
mod policy;
mod rates;
mod tls;
mod wills;
