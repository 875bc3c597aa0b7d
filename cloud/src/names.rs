//! Names of resources: in CloudFormation letters and digits, in Terraform with `_` between words.

/// Letters and digits, each word with a capital: `pi-7` is `Pi7`.
pub fn capitalized(text: &str) -> String {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric());
    words
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars)
        })
        .collect()
}

/// `DevicePi7NoData` as `device_pi7_no_data`.
pub fn snake_case(id: &str) -> String {
    let mut name = String::new();
    for char in id.chars() {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(char.to_ascii_lowercase());
    }
    name
}

/// A name like this one that is not used yet: with a number if need be.
pub fn unused(id: &str, used: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{id}x{number}"));
    let mut candidates = std::iter::once(id.to_owned()).chain(numbered);
    candidates.find(|id| !used.contains(id)).unwrap_or_default()
}

/// Names, each at its first place: what is made of one twice could not be deployed.
pub fn once_each(names: &[String]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_letters_and_digits_and_of_one_thing() {
        assert_eq!(capitalized("_var_log"), "VarLog");
        assert_eq!(capitalized("pi-7"), "Pi7");
        assert_eq!(snake_case("DevicePi7NoData"), "device_pi7_no_data");
        assert_eq!(unused("A", &[]), "A");
        assert_eq!(unused("A", &["A".to_owned(), "Ax2".to_owned()]), "Ax3");
    }
}
