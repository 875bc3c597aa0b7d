//! The AWS side of `pivitals`, made from a device's own configuration: `pivitals-cloud`.
//!
//! Data flows one way: configuration → [`fleet`] → resources → text. The resources are data, and both
//! CloudFormation and Terraform are written from the same ones, so that the two cannot drift apart.
//!
//! Read in this order:
//!
//! 1. [`cli`] arguments into a command
//! 2. [`fleet`] what the devices that share a configuration have in common, and what the cloud calls the rest
//! 3. [`model`] resources, and texts that refer to them
//! 4. [`policy`] what a device may do, and what a role may
//! 5. `rule`, `alarms`, `dashboard`: what stands in them
//! 6. [`stack`] all resources of a configuration
//! 7. [`cloudformation`] and [`terraform`] write them; `yaml` and `hcl` know the two languages,
//!    `json`, `names` and `words` what both need
//! 8. [`cost`] the bill, by formula
//!
//! Nothing here asks AWS anything: what is printed follows from the arguments and the configuration alone.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod alarms;
pub mod cli;
pub mod cloudformation;
pub mod cost;
mod dashboard;
pub mod fleet;
mod hcl;
mod json;
pub mod model;
mod names;
pub mod policy;
mod rule;
pub mod stack;
pub mod terraform;
mod words;
mod yaml;
