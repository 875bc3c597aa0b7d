//! Which certificates the next connection uses, while the files may change.
//!
//! The files may change without a restart. New ones are tried first, and those that served are kept until the
//! broker has accepted the new ones. Before each connection the files are read and their content is compared
//! by a hash; they are parsed only if it is new. Times and sizes are not compared, because they miss changes:
//! a file system that counts in two seconds, a link that leads elsewhere, a key that cannot be read until
//! `chmod`.
//!
//! # Which pair is next
//!
//! At most two pairs of certificate and key are kept, and at least one of two has served.
//!
//! - If the current pair is refused, the other one is next. So both take turns while both are refused, each
//!   after the wait that follows any failure.
//! - If the newer pair is accepted, the older one is dropped.
//! - If the older pair is accepted, the newer one is tried once more after that connection: what was missing in
//!   the broker's account may be there by then.
//! - If the files change again, they replace the newer pair.

use std::mem;

use crate::net::tls::{CertificatePaths, CertificateProblem, Fingerprint, Loaded};

#[cfg(test)]
mod tests;

/// The certificates to connect with, and those that stand by.
#[derive(Debug)]
pub struct Credentials {
    paths: CertificatePaths,
    alpn: bool,
    current: Pair,
    other: Option<Pair>,
    /// The older pair was accepted after the newer one was refused.
    is_retry_due: bool,
    /// What was wrong with the files, as last reported; empty once they are usable again.
    problems: Vec<CertificateProblem>,
    /// The files that were parsed last and found unusable.
    unusable: Option<Fingerprint>,
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

/// What [`Credentials::refresh`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// Nothing new.
    Unchanged,
    /// The files have changed, and are next.
    Changed,
    /// The files have not changed; the pair that was refused is next once more.
    Retried,
    /// The files are unusable, for reasons not reported before; what was next stays next.
    Unusable(Vec<CertificateProblem>),
}

impl Credentials {
    /// Finds, reads and checks the files. `alpn` turns on the extension that AWS's port 443 needs.
    ///
    /// # Errors
    /// Every problem found.
    pub fn load(paths: CertificatePaths, alpn: bool) -> Result<Self, Vec<CertificateProblem>> {
        let current = Pair::new(paths.find()?.load(alpn)?);
        Ok(Self {
            paths,
            alpn,
            current,
            other: None,
            is_retry_due: false,
            problems: Vec::new(),
            unusable: None,
        })
    }

    /// What the next connection uses.
    #[must_use]
    pub const fn current(&self) -> &Loaded {
        &self.current.loaded
    }

    /// Reads the files and decides what is next. To be called before each connection.
    pub fn refresh(&mut self) -> Refresh {
        let files = match self.paths.find() {
            Ok(files) => files,
            Err(problems) => {
                self.unusable = None;
                return self.report(problems);
            }
        };
        let (contents, alpn) = (files.read(), self.alpn);
        self.take(contents.fingerprint(), || contents.load(alpn))
    }

    /// Notes that the broker has accepted the current pair: it accepted CONNECT.
    pub fn accepted(&mut self) {
        if self.current.has_served {
            self.is_retry_due = self.other.is_some();
        } else {
            self.current.has_served = true;
            self.other = None;
        }
    }

    /// Notes that the broker has refused the current pair, or that the current CA does not accept the broker.
    /// A connection that the broker closes before it answers CONNECT counts, too: AWS does so where no policy
    /// is attached. Returns true if the pair that served before is next.
    pub fn refused(&mut self) -> bool {
        self.is_retry_due = false;
        let Some(other) = &mut self.other else { return false };
        mem::swap(&mut self.current, other);
        self.current.has_served
    }

    /// Replaces all by `new`, which belongs to a configuration that was read again. The pair that served
    /// before is kept.
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

    /// Decides what is next, given the files' fingerprint. `load` parses them and is called only if they are
    /// new.
    fn take(
        &mut self,
        fingerprint: Fingerprint,
        load: impl FnOnce() -> Result<Loaded, Vec<CertificateProblem>>,
    ) -> Refresh {
        if self.current.loaded.is_of(fingerprint) {
            self.forget_problems();
            // The newer pair that was set aside is no longer in the files.
            self.other.take_if(|other| !other.has_served);
            return Refresh::Unchanged;
        }
        if let Some(other) = self.other.take_if(|other| other.loaded.is_of(fingerprint)) {
            self.forget_problems();
            return self.take_other(other);
        }
        if self.unusable == Some(fingerprint) {
            return Refresh::Unchanged;
        }
        match load() {
            Ok(loaded) => {
                self.forget_problems();
                let previous = mem::replace(&mut self.current, Pair::new(loaded));
                self.other =
                    [Some(previous), self.other.take()].into_iter().flatten().find(|pair| pair.has_served);
                Refresh::Changed
            }
            Err(problems) => {
                self.unusable = Some(fingerprint);
                self.report(problems)
            }
        }
    }

    /// Decides what is next if the files hold the pair that is not current.
    fn take_other(&mut self, other: Pair) -> Refresh {
        if other.has_served {
            // The change was taken back.
            self.current = other;
            Refresh::Changed
        } else if self.is_retry_due {
            self.other = Some(mem::replace(&mut self.current, other));
            Refresh::Retried
        } else {
            self.other = Some(other);
            Refresh::Unchanged
        }
    }

    /// Reports problems unless they are those that were reported last.
    fn report(&mut self, problems: Vec<CertificateProblem>) -> Refresh {
        if problems == self.problems {
            return Refresh::Unchanged;
        }
        self.problems.clone_from(&problems);
        Refresh::Unusable(problems)
    }

    fn forget_problems(&mut self) {
        self.problems.clear();
        self.unusable = None;
    }
}
