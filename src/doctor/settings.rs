//! The configuration: whether it can be read, and what in it works but should be looked at.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::image::Place;
use super::report::{Report, Step};
use super::{CONFIG, WARN};
use crate::config::Config;
use crate::config::identity::Identity;
use crate::config::setup::{Options, read_config};
use crate::platform::device::is_in_memory;
use crate::report::failure::{Words, file_error};

/// `None` where nothing can be examined, because the configuration has errors.
pub fn check(options: &Options, place: &Place, report: &mut Report<'_>) -> Option<Config> {
    let path = options.config.clone().unwrap_or_else(|| place.config_file());
    let mut identity = Identity::read(&place.root);
    let mut stand_ins = Vec::new();
    if place.is_image {
        (identity, stand_ins) = identity.of_image(&place.root);
    }
    let config = match read_config(&path, options, &identity) {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                report.bad(Step::Configuration, CONFIG, words(&error.to_string()));
            }
            return None;
        }
    };
    let file = path.display();
    let is_there = path.exists();
    if config.endpoint.is_some() {
        let missing = if is_there { "" } else { " is not there, so what is not set is as it is by default" };
        report.ok(Step::Configuration, format!("{file}{missing}"));
    } else {
        let cause = if is_there {
            format!("{file}: endpoint is missing: the broker's host name")
        } else {
            format!("{file} is not there, and so no endpoint: the broker's host name")
        };
        let remedy = "AWS: set it to what `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints";
        report.bad(Step::Configuration, CONFIG, Words::new(cause, remedy));
    }
    let texts = [&config.client_id, &config.label, config.topics.pattern()];
    for (name, stand_in) in stand_ins {
        if texts.iter().any(|text| text.contains(stand_in)) {
            let words = Words::new(
                format!("{{{name}}} is known on the device only, and checked with {stand_in} in its place"),
                "run `pivitals doctor` on the device, too",
            );
            report.bad(Step::Configuration, WARN, words);
        }
    }
    let old_endpoint = config.endpoint.as_deref().and_then(old_endpoint);
    for words in [old_endpoint, storage(&config, place)].into_iter().flatten() {
        report.bad(Step::Configuration, WARN, words);
    }
    Some(config)
}

/// An error of the configuration, in its two parts.
fn words(error: &str) -> Words {
    match (error.split_once(": allowed: "), error.split_once("; ")) {
        (Some((cause, allowed)), _) => Words::new(cause, format!("allowed: {allowed}")),
        (None, Some((cause, remedy))) => Words::new(cause, remedy),
        (None, None) => Words::new(error, "correct it: nothing runs with a configuration that has errors"),
    }
}

/// An endpoint whose certificate comes from an authority that devices trust no more.
fn old_endpoint(endpoint: &str) -> Option<Words> {
    let (first, rest) = endpoint.split_once('.')?;
    let is_old = rest.starts_with("iot.") && rest.contains(".amazonaws.com") && !first.ends_with("-ats");
    is_old.then(|| {
        Words::new(
            format!(
                "endpoint = {endpoint}: without -ats its certificate comes from an authority of the past"
            ),
            format!("set `endpoint = {first}-ats.{rest}`"),
        )
    })
}

/// A status file that is written every interval to what wears out.
fn storage(config: &Config, place: &Place) -> Option<Words> {
    let file = config.status_file.as_deref().filter(|_| !place.is_image)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let what = format!("status_file = {}", file.display());
    let remedy = "put it into a tmpfs: `status_file = /run/pivitals/status`";
    match is_in_memory(&CString::new(folder.as_os_str().as_bytes()).ok()?) {
        Ok(true) => None,
        Ok(false) => {
            let cause =
                format!("{what}: it is not in a tmpfs, and would be written to storage with each sample");
            Some(Words::new(cause, remedy))
        }
        Err(error) => {
            let what = format!("{what}: it cannot be written: {}", folder.display());
            Some(file_error(&what, error.into(), remedy))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_of_aws_without_ats_is_of_the_past() {
        let remedy = old_endpoint("abc.iot.eu-west-1.amazonaws.com").unwrap().remedy;
        assert_eq!(remedy, "set `endpoint = abc-ats.iot.eu-west-1.amazonaws.com`");
        assert!(old_endpoint("abc.iot.cn-north-1.amazonaws.com.cn").is_some());
        for good in
            ["abc-ats.iot.eu-west-1.amazonaws.com", "broker.example", "localhost", "iot.amazonaws.com"]
        {
            assert_eq!(old_endpoint(good), None, "{good}");
        }
    }

    #[test]
    fn an_error_comes_apart_where_the_remedy_begins() {
        let allowed = words("/c:3: interval = 0: allowed: 1–86400 (seconds)");
        assert_eq!(allowed, Words::new("/c:3: interval = 0", "allowed: 1–86400 (seconds)"));
        assert_eq!(words("what; do"), Words::new("what", "do"));
        assert!(!words("what").remedy.is_empty());
    }
}
