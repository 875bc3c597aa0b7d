//! Where files are: on this device, or under the root of an image that another one will boot.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::config::setup::CONFIG_FILE;

/// As many as the kernel follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// A device or an image.
#[derive(Debug)]
pub struct Place {
    /// Where `proc`, `sys` and `dev` are, if anywhere.
    pub root: PathBuf,
    /// Nothing runs there, and everything is under the root.
    pub is_image: bool,
}

impl Place {
    /// Offline, a root under which no kernel runs is taken for an image.
    pub fn new(root: &Path, offline: bool) -> Self {
        Self { root: root.to_owned(), is_image: offline && !root.join("proc/stat").exists() }
    }

    /// The configuration, where none is named.
    pub fn config_file(&self) -> PathBuf {
        self.find(Path::new(CONFIG_FILE))
    }

    /// Where an absolute path of the device's leads to, by the device's own links: one that begins with
    /// `/` begins at the root. What is not there keeps its name.
    pub fn find(&self, path: &Path) -> PathBuf {
        if !self.is_image {
            return path.to_owned();
        }
        let mut found = self.root.clone();
        let mut depth = 0; // below the root, which nothing leads out of
        let mut links = 0;
        let mut rest = path.to_owned();
        loop {
            let mut parts = rest.components();
            let Some(part) = parts.next() else { return found };
            let after = parts.as_path();
            let mut leads_to = None;
            match part {
                Component::RootDir => {
                    found.clone_from(&self.root);
                    depth = 0;
                }
                Component::ParentDir if depth > 0 => {
                    found.pop();
                    depth -= 1;
                }
                Component::Normal(name) => {
                    leads_to = fs::read_link(found.join(name)).ok().filter(|_| links < LINKS_MAX);
                    if leads_to.is_none() {
                        found.push(name);
                        depth += 1;
                    }
                }
                _ => {}
            }
            rest = match leads_to {
                Some(target) => {
                    links += 1;
                    target.join(after)
                }
                None => after.to_owned(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn a_path_leads_where_it_leads_on_the_device() {
        let dir = TestDir::new("place");
        let root = dir.path();
        fs::create_dir_all(root.join("data/certs")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        symlink("/data/certs", root.join("etc/absolute")).unwrap();
        symlink("../data/certs", root.join("etc/relative")).unwrap();
        symlink("../../../../data", root.join("etc/beyond")).unwrap();
        symlink("loop", root.join("etc/loop")).unwrap();
        let place = Place::new(root, true);
        for (path, found) in [
            ("/etc/absolute/x", "data/certs/x"),
            ("/etc/relative/x", "data/certs/x"),
            ("/etc/beyond/x", "data/x"),
            ("/not/there", "not/there"),
            ("/etc/loop", "etc/loop"),
            ("/../etc/./x", "etc/x"),
        ] {
            assert_eq!(place.find(Path::new(path)), root.join(found), "{path}");
        }
    }

    #[test]
    fn on_the_device_itself_a_path_is_what_it_is() {
        for place in [Place::new(Path::new("/not/there"), false), Place::new(Path::new("/"), true)] {
            assert_eq!(place.config_file(), Path::new(CONFIG_FILE));
        }
    }
}
