//! The AWS side of `pivitals`, made from a device's own configuration: `pivitals-cloud`.
//!
//! Data flows one way: configuration → [`fleet`] → resources → text. The resources are data, and both
//! CloudFormation and Terraform are written from the same ones, so that the two cannot drift apart.
//!
//! # Modules
//!
//! From the ground up. A file imports only from its own module and from those above it in this list, and no
//! files import each other in a circle. `tests/layers.rs` enforces both.
//!
//! 1. [`model`] resources as data, and texts that refer to them
//! 2. `names` the names of resources
//! 3. `words` paragraphs in lines of limited width
//! 4. `json` values as JSON
//! 5. `yaml` values as YAML
//! 6. `hcl` Terraform's two syntaxes
//! 7. [`fleet`] what devices with one configuration have in common, and what the cloud calls the rest
//! 8. [`policy`] what a device may do, and what a role may
//! 9. `rule` what is done with each message
//! 10. `alarms` silence, limits and failures of the rule
//! 11. `dashboard` graphs and a table of the devices
//! 12. [`stack`] all resources of a fleet
//! 13. [`cloudformation`] a stack as a template
//! 14. [`terraform`] a stack as a configuration
//! 15. [`cost`] the bill, by formula
//! 16. [`cli`] the command line
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
