//! Answers what an AWS IoT Core policy document allows a device, without asking AWS.
//!
//! Sources: the AWS IoT Core developer guide (policy actions, action resources, policy variables) and the IAM
//! user guide (policy elements, evaluation logic). An explicit Deny wins, and what no statement allows is not
//! allowed. What depends on facts that only AWS knows, such as a thing's attributes or the device's address, is
//! [`Decision::Unknown`].
//!
//! The test broker has an evaluator of its own (`tests/broker/policy.rs`). It plays AWS: it knows everything
//! about the connection and answers yes or no. This one knows only the configuration. `tests/evaluator.rs`
//! compares the two on random documents, so that an error has to be made in both to go unnoticed.

mod decision;
mod document;
mod pattern;
mod request;
mod statement;
mod tree;

#[cfg(test)]
mod tests;

pub use decision::{Decision, Policy, StatementName};
pub use document::PolicyError;
pub use request::{Action, Request};
pub use statement::{Because, Effect};
