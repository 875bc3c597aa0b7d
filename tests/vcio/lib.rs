//! A Raspberry Pi's `/dev/vcio` for programs that run on any Linux machine, unmodified: for the tests
//! of `pivitals`.
//!
//! Whatever a [`Mailbox`] runs finds the device where a Pi has it, and the firmware behind it answers
//! what the test has scripted: values that rise, flags that come and go, and each way to fail.
//!
//! ```no_run
//! use pivitals_vcio::{Answer, Mailbox, property};
//!
//! let mailbox = Mailbox::new("/".as_ref());
//! mailbox.on(property::TEMPERATURE, [Answer::Value(48_312), Answer::Fails(5), Answer::Value(85_000)]);
//! let vcgencmd = mailbox.run(|| std::process::Command::new("vcgencmd").arg("measure_temp").output());
//! println!("{vcgencmd:?} after {:?}", mailbox.log());
//! ```
//!
//! How: a seccomp filter has the kernel ask before each `open`, `openat` and `ioctl` (user notification,
//! `seccomp_unotify(2)`). Those of the device are answered, with an empty memory file for a descriptor
//! and the property message written into the process's own memory; all others go their way. It takes no
//! privilege, only Linux 5.14. Where the kernel does not let it, [`Mailbox::run`] panics and says why.
//!
//! Read in this order:
//! - [`property`]: what the firmware can be asked
//! - [`script`]: what it answers, and how an answer looks in the message; pure
//! - [`mailbox`]: the supervisor
//! - `sys`: the system calls, the only place with `unsafe`

#![deny(unsafe_code)]
#![warn(missing_docs, clippy::pedantic)]
#![expect(clippy::doc_markdown, reason = "SoC is a word, not code")]
#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "in a test harness panics are the errors, and results are asserted on"
)]

pub mod mailbox;
pub mod property;
pub mod script;
mod sys;

pub use mailbox::{Event, Mailbox};
pub use property::Property;
pub use script::{Answer, Question};
