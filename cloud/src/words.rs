//! Comments: text in lines.

/// Columns of a comment.
const WIDTH: usize = 100;

/// Writes a text as a comment, each line behind so many blanks.
pub fn comment(out: &mut String, text: &str, indent: usize) {
    let start = format!("{}#", " ".repeat(indent));
    let mut line = start.clone();
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH && line != start {
            out.push_str(&line);
            out.push('\n');
            line.clone_from(&start);
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_comment_is_broken_between_words() {
        let mut out = String::new();
        super::comment(&mut out, &"word ".repeat(30), 2);
        assert_eq!(out.lines().count(), 2);
        assert!(out.lines().all(|line| line.starts_with("  # word") && line.len() <= super::WIDTH));
    }
}
