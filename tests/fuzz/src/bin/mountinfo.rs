//! `/proc/self/mountinfo`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::mountinfo::parse;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let Ok(root) = parse(text.as_bytes()) else { return };
    let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut words = lines.map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let words = words.rfind(|words| words.get(4) == Some(&"/")).expect("a mount at the root");
    let (major, minor) = words[2].split_once(':').expect("two numbers");
    assert_eq!((major.parse(), minor.parse()), (Ok(root.device.0), Ok(root.device.1)));
    let dash = 6 + words[6..].iter().position(|word| *word == "-").expect("the end of the optional fields");
    let [of_mount, of_system] = [words[5], words[dash + 3]].map(|options| format!(",{options},"));
    if let Some(is_read_only) = root.is_read_only {
        let is_broken = of_system.contains(",emergency_ro,");
        assert_eq!(of_mount.contains(",ro,") || of_system.contains(",ro,") || is_broken, is_read_only);
    } else {
        assert!(["squashfs", "erofs", "cramfs", "romfs", "iso9660"].contains(&words[dash + 1]));
    }
});
