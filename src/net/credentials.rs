//! The certificates while the agent runs: what serves, what is newer, and which comes next.
//!
//! Files change without a restart. New ones are tried first, and those that served stand by until the
//! broker has taken the new. Before each connection the files are read and compared by content: three
//! small files, so seldom, cost less than what their times and sizes can hide (a file system that counts
//! in two seconds, a link that now leads elsewhere, a key that the agent may not read until `chmod`).
//!
//! # Which is next
//!
//! At most two are kept, and at least one of two has served.
//!
//! - Refused, the other one is next; so the newer and the older take turns while both are refused, each
//!   after the wait that follows any failure.
//! - The newer accepted, the older is forgotten.
//! - The older accepted, the newer is tried once more when this connection has come to its end: what was
//!   missing in the broker's account may be there by then.
//! - Files that changed again take the place of the newer.

use std::mem;

use crate::net::tls::{CertificatePaths, CertificateProblem, Loaded};

#[cfg(test)]
mod tests;

/// The certificates to connect with.
#[derive(Debug)]
pub struct Credentials {
    paths: CertificatePaths,
    alpn: bool,
    current: Pair,
    other: Option<Pair>,
    /// The older was accepted since the newer was refused.
    is_retry_due: bool,
    /// What was wrong with the files when they were last read.
    problems: Vec<CertificateProblem>,
}

#[derive(Debug)]
struct Pair {
    loaded: Loaded,
    /// The broker has accepted it.
    has_served: bool,
}

impl Pair {
    const fn new(loaded: Loaded) -> Self {
        Self { loaded, has_served: false }
    }
}

/// What a look at the files has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// Nothing new.
    Unchanged,
    /// There are others, and they are next.
    Changed,
    /// Nothing new; those that were refused are next once more.
    Retried,
    /// They cannot be used, for reasons that were not told before; what was next stays so.
    Unusable(Vec<CertificateProblem>),
}

impl Credentials {
    /// Finds and reads the files. `alpn` turns the extension on that AWS's port 443 wants.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(paths: CertificatePaths, alpn: bool) -> Result<Self, Vec<CertificateProblem>> {
        let current = Pair::new(paths.find()?.load(alpn)?);
        Ok(Self { paths, alpn, current, other: None, is_retry_due: false, problems: Vec::new() })
    }

    /// What the next connection is made with.
    #[must_use]
    pub const fn current(&self) -> &Loaded {
        &self.current.loaded
    }

    /// Looks at the files; to be called before each connection.
    pub fn refresh(&mut self) -> Refresh {
        match self.paths.find().and_then(|files| files.load(self.alpn)) {
            Ok(loaded) => {
                self.problems.clear();
                self.take(loaded)
            }
            Err(problems) if problems == self.problems => Refresh::Unchanged,
            Err(problems) => {
                self.problems.clone_from(&problems);
                Refresh::Unusable(problems)
            }
        }
    }

    /// The broker has accepted the current ones: it answered CONNECT with yes.
    pub fn accepted(&mut self) {
        if self.current.has_served {
            self.is_retry_due = self.other.is_some();
        } else {
            self.current.has_served = true;
            self.other = None;
        }
    }

    /// The broker has refused the current ones, or its certificate was not accepted by their CA; also if
    /// it has only closed the connection before it answered CONNECT, as AWS does where no policy is
    /// attached. True if those that served before are next.
    pub fn refused(&mut self) -> bool {
        self.is_retry_due = false;
        let Some(other) = &mut self.other else { return false };
        mem::swap(&mut self.current, other);
        self.current.has_served
    }

    /// Takes what was read from the beginning, for a configuration that was read again. Those that
    /// served before stand by.
    pub fn replace(&mut self, new: Self) {
        let old = mem::replace(self, new);
        let served = [Some(old.current), old.other].into_iter().flatten().find(|pair| pair.has_served);
        let Some(mut served) = served else { return };
        if served.loaded.is_same(&self.current.loaded) {
            self.current.has_served = true;
        } else {
            served.loaded = served.loaded.with_alpn(self.alpn);
            self.other = Some(served);
        }
    }

    /// Decides about files that are as they should be.
    fn take(&mut self, loaded: Loaded) -> Refresh {
        if loaded.is_same(&self.current.loaded) {
            // Something newer that was set aside is in the files no more.
            self.other.take_if(|other| !other.has_served);
            return Refresh::Unchanged;
        }
        match self.other.take() {
            Some(other) if loaded.is_same(&other.loaded) => {
                if other.has_served {
                    // The change was taken back.
                    self.current = other;
                    return Refresh::Changed;
                }
                if !self.is_retry_due {
                    self.other = Some(other);
                    return Refresh::Unchanged;
                }
                self.other = Some(mem::replace(&mut self.current, other));
                Refresh::Retried
            }
            other => {
                let previous = mem::replace(&mut self.current, Pair::new(loaded));
                self.other = [Some(previous), other].into_iter().flatten().find(|pair| pair.has_served);
                Refresh::Changed
            }
        }
    }
}
