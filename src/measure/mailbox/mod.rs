//! The VideoCore mailbox: how a program asks a Raspberry Pi's firmware.

pub mod property;
pub mod vcio;
