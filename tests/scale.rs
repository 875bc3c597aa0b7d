//! The clock of the tests stays out of the program for devices.

use std::fs;

#[test]
fn only_a_build_for_tests_knows_of_a_time_that_runs_faster() {
    let binary = fs::read(env!("CARGO_BIN_EXE_pivitals")).unwrap();
    let name = b"PIVITALS_TIME_SCALE";
    let is_known = binary.windows(name.len()).any(|part| part == name);
    assert_eq!(is_known, cfg!(feature = "test-clock"));
}
