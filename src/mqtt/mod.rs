//! MQTT as a state machine: bytes and time in; bytes, events and the next deadline out.

pub mod session;
