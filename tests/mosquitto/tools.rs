//! The programs that these tests need: where they are, and what is said where they are not.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

const NEEDED: [&str; 2] = ["mosquitto", "openssl"];

/// Debian has daemons where only root's PATH leads.
const MORE_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Whether all is there. If not, that is said once, past the test harness, which would keep it; and
/// where these tests are required it is a failure.
pub fn are_here() -> bool {
    static TOLD: Once = Once::new();
    let missing: Vec<_> = NEEDED.into_iter().filter(|name| find(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let words = format!(
        "{} {} missing; on Debian: apt install mosquitto openssl; these tests did not run",
        missing.join(" and "),
        if missing.len() == 1 { "is" } else { "are" }
    );
    TOLD.call_once(|| writeln!(io::stderr(), "{words}").expect("standard error is open"));
    let required = env::var("PIVITALS_REQUIRE").unwrap_or_default();
    let is_required = required.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "mosquitto");
    assert!(!is_required, "{words}");
    false
}

/// A command that runs one of the needed programs.
pub fn command(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| panic!("{name}: ask `are_here` first")))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(MORE_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Runs `openssl` and gives what it writes to standard output.
pub fn openssl(arguments: &[&str], input: &str) -> Vec<u8> {
    let mut command = command("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // Dropped at the end of the statement: that is the end of the input. One that does not read it
    // all says why below.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same where it writes PEM.
pub fn openssl_pem(arguments: &[&str], input: &str) -> String {
    String::from_utf8(openssl(arguments, input)).expect("PEM is text")
}
