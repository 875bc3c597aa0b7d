//! The life of the connection to the broker.
//!
//! [`Uplink`](uplink::Uplink) waits, opens a link or talks. What outlives a connection is in
//! [`Durable`](durable::Durable), what dies with it in [`Talk`](talk::Talk). When a connection ends,
//! [`Retry`](retry::Retry) decides what that means:
//!
//! ```text
//! uplink ─ turn ─▶ talk ─ receive ─▶ delivery.acknowledged / refused, presence.answered …
//!    │               └─── send ────▶ presence.fill, delivery.fill
//!    └─ fail ─▶ retry.after(end) ─▶ presence.after, version, delivery.closed, credentials, backoff
//! ```

pub mod announcement;
pub mod backoff;
pub mod delivery;
pub mod denials;
pub mod durable;
pub mod end;
pub mod event;
pub mod presence;
pub mod retry;
pub mod sent;
pub mod talk;
pub mod turn;
#[expect(clippy::module_inception, reason = "the room is named after its main part")]
pub mod uplink;
pub mod version;
