//! Text for narrow terminals: tables that become lists, and sentences that
//! go on in the next line.

use std::fmt::Write as _;

/// Between columns.
const GAP: &str = "   ";

/// How many characters of a text are seen: escape sequences for colours are
/// not.
#[must_use]
pub fn seen(text: &str) -> usize {
    let mut escaped = false;
    let shown = |sign: &char| {
        let before = escaped;
        escaped = *sign == '\u{1b}' || (escaped && *sign != 'm');
        !before && !escaped
    };
    text.chars().filter(shown).count()
}

/// Rows of cells below their heads, in columns. Where that is wider than the
/// terminal, each row is a list instead: its first cell, and below it the
/// others with their heads.
///
/// `width` is in characters; without one nothing is too wide.
#[must_use]
pub fn table(rows: &[Vec<String>], width: Option<usize>) -> String {
    let Some(heads) = rows.first() else { return String::new() };
    let widest = |column: usize| rows.iter().map(|row| seen(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(widest).collect();
    let all = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let mut text = String::new();
    if width.is_some_and(|width| all > width) {
        for row in &rows[1..] {
            list(heads, row, &mut text);
        }
        return text;
    }
    for row in rows {
        let padded = |(cell, width): (&String, &usize)| format!("{cell}{:gap$}", "", gap = width - seen(cell));
        let cells: Vec<String> = row.iter().zip(&widths).map(padded).collect();
        let _ = writeln!(text, "{}", cells.join(GAP).trim_end());
    }
    text
}

fn list(heads: &[String], row: &[String], text: &mut String) {
    let _ = writeln!(text, "{}", row[0].trim());
    let told = |(head, cell): (&String, &String)| format!("{head} {cell}");
    let cells: Vec<String> = heads.iter().zip(row).skip(1).map(told).collect();
    let _ = writeln!(text, "  {}", cells.join(GAP));
}

/// A text whose lines are broken between words where they are wider than the
/// terminal; what follows is indented by two more. Without a width it stays as
/// it is.
#[must_use]
pub fn folded(text: &str, width: Option<usize>) -> String {
    broken(text, width, 2)
}

/// The same for prose: what follows is not indented any further.
#[must_use]
pub fn prose(text: &str, width: Option<usize>) -> String {
    broken(text, width, 0)
}

fn broken(text: &str, width: Option<usize>, further: usize) -> String {
    let Some(width) = width.map(|width| width.max(20)) else { return text.to_string() };
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        if seen(body) <= width {
            out.push_str(body);
        } else {
            fold(body, width, further, &mut out);
        }
        out.push_str(end);
    }
    out
}

fn fold(line: &str, width: usize, further: usize, out: &mut String) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let further = " ".repeat((indent + further).min(width / 2));
    let (mut column, mut first) = (indent, true);
    out.push_str(&line[..indent]);
    // Words keep the blanks before them, as columns of a line have several.
    let mut gap = 0;
    for word in line[indent..].split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        let blanks = if first { 0 } else { gap + 1 };
        if !first && column + blanks + seen(word) > width {
            out.push('\n');
            out.push_str(&further);
            column = further.len();
        } else {
            out.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        }
        out.push_str(word);
        column += seen(word);
        (first, gap) = (false, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_becomes_a_list() {
        let rows: Vec<Vec<String>> = [["NAME", "READY", "AGE"], ["deployment/web", "10/10", "2m30s"]]
            .iter()
            .map(|row| row.map(str::to_string).to_vec())
            .collect();
        let beside = "NAME             READY   AGE\ndeployment/web   10/10   2m30s\n";
        for (width, told) in
            [(None, beside), (Some(30), beside), (Some(29), "deployment/web\n  READY 10/10   AGE 2m30s\n")]
        {
            assert_eq!(table(&rows, width), told);
        }
        assert_eq!(table(&[], Some(9)), "");
    }

    #[test]
    fn lines_are_broken_between_words_and_go_on_indented() {
        let green = "\u{1b}[32m";
        for (text, width, told) in [
            ("one two three four five six\nseven\n", Some(20), "one two three four\n  five six\nseven\n"),
            ("  a   b of several words", Some(20), "  a   b of several\n    words"),
            ("one two three four five six", None, "one two three four five six"),
            ("a_word_that_is_longer_than_that b", Some(20), "a_word_that_is_longer_than_that\n  b"),
            ("", Some(20), ""),
        ] {
            assert_eq!(folded(text, width), told);
        }
        let coloured = format!("{green}one{green} two three four");
        assert_eq!(seen(&coloured), 18);
        assert_eq!(folded(&coloured, Some(20)), coloured);
        assert_eq!(prose("one two three four five six", Some(20)), "one two three four\nfive six");
    }
}
