//! MQTT as a state machine: bytes and time in; bytes, events and the next deadline out.
//!
//! Packets are written by `rumqttc`'s codec, and an accepted CONNACK of MQTT 5 is read by it. The session is
//! our own, and so is the framing before the codec: see [`Session`].
//!
//! Read in this order: `settings` and `event` are what goes in and comes out, `reason` names the reason codes,
//! `frame` cuts whole packets out of the stream, `v3` and `v5` are the two versions, `codec` chooses between
//! them, `in_flight` holds what is not yet acknowledged, `keep_alive` says when to ping, `pace` limits the publishes
//! a second, and `session` joins them.

mod codec;
mod event;
mod frame;
mod in_flight;
mod keep_alive;
mod limits;
mod pace;
mod packet;
pub mod reason;
mod session;
mod settings;
mod v3;
mod v5;

pub use event::{Answer, Event, Refusal, SessionError};
pub use limits::{IN_FLIGHT_MAX, INBOUND_LEN_MAX};
pub use pace::Pace;
pub use session::Session;
pub use settings::{Settings, Version, Will};
