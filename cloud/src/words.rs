//! Text in lines of a width that is read well.

/// Columns of a line.
const WIDTH: usize = 100;

/// Writes a text as a comment, each line behind so many blanks.
pub fn comment(out: &mut String, text: &str, indent: usize) {
    let start = format!("{}#", " ".repeat(indent));
    wrapped(out, text, &start, &start);
}

/// Writes a text as an item of a list.
pub fn item(out: &mut String, text: &str) {
    wrapped(out, text, "-", " ");
}

fn wrapped(out: &mut String, text: &str, first: &str, next: &str) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            next.clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words() {
        let mut out = String::new();
        comment(&mut out, &"word ".repeat(30), 2);
        assert_eq!(out.lines().count(), 2);
        assert!(out.lines().all(|line| line.starts_with("  # word") && line.len() <= WIDTH));
    }

    #[test]
    fn an_item_has_its_dash_before_its_first_line() {
        let mut out = String::new();
        item(&mut out, &"word ".repeat(30));
        let starts: Vec<_> = out.lines().map(|line| &line[..3]).collect();
        assert_eq!(starts, ["- w", "  w"]);
    }
}
