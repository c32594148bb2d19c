//! What is wrong with the input, for people: file, line, caret, hint.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str as clean};
use seatrial::error::Problem;

/// More problems than this are counted only.
const SHOWN: usize = 20;

/// Prints what made the command give up.
pub(super) fn print_errors(problems: &[Problem]) {
    for (i, problem) in problems.iter().take(SHOWN).enumerate() {
        if i > 0 {
            anstream::eprintln!();
        }
        print(problem, &Level::ERROR);
    }
    if problems.len() > SHOWN {
        anstream::eprintln!("and {} more problems", problems.len() - SHOWN);
    }
}

/// Prints what is odd about the input and no reason to give up.
pub(super) fn print_warnings(problems: &[Problem]) {
    for problem in problems.iter().take(SHOWN) {
        print(problem, &Level::WARNING);
    }
    if problems.len() > SHOWN {
        anstream::eprintln!("and {} more warnings", problems.len() - SHOWN);
    }
}

/// Prints what is good to know about the input, a line each.
pub(super) fn print_notes(problems: &[Problem]) {
    for problem in problems {
        let place = match (&problem.file, problem.position) {
            (Some(file), Some(at)) => format!("{}:{}: ", file.display(), at.line),
            (Some(file), None) => format!("{}: ", file.display()),
            _ => String::new(),
        };
        let mut lines = problem.message.lines();
        anstream::eprintln!("note: {}{}", clean(&place), clean(lines.next().unwrap_or_default()));
        for line in lines.chain(problem.hint.as_deref()) {
            anstream::eprintln!("  {}", clean(line));
        }
    }
}

/// Prints why the command failed although its input was right.
pub(super) fn print_failure(message: &str) {
    anstream::eprintln!("error: {}", clean(message));
}

fn print(problem: &Problem, level: &Level<'_>) {
    anstream::eprintln!("{}", render(problem, level, &Renderer::styled()));
}

/// The problem with its line and a caret below it.
fn render(problem: &Problem, level: &Level<'_>, renderer: &Renderer) -> String {
    let file = problem.file.as_ref().map(|f| f.display().to_string());
    let title = level.clone().primary_title(clean(&problem.message));
    let mut group = Group::with_title(title);
    if let (Some(at), Some(line)) = (problem.position, &problem.line_text) {
        let start = line.char_indices().nth(at.column - 1).map_or(line.len(), |(i, _)| i);
        let label = problem.field.as_deref().unwrap_or_default();
        let snippet = Snippet::source(line.as_str())
            .line_start(at.line)
            .path(file.clone().unwrap_or_default())
            .annotation(AnnotationKind::Primary.span(start..end_of(line, start)).label(clean(label)));
        group = group.element(snippet);
    } else if let Some(file) = &file {
        let mut origin = Origin::path(clean(file));
        if let Some(at) = problem.position {
            origin = origin.line(at.line).char_column(at.column);
        }
        group = group.element(origin);
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(clean(hint)));
    }
    renderer.render(&[group])
}

/// The end of the word that begins at a byte of a line.
fn end_of(line: &str, start: usize) -> usize {
    let rest = &line[start..];
    let end = |c: char| c.is_whitespace() || ",{}[]()".contains(c);
    let length = match rest.chars().next() {
        None => 0,
        // A quoted text ends with its quote.
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |i| i + 2),
        Some(_) => rest
            .char_indices()
            .find(|&(i, c)| end(c) || (c == ':' && (i + 1 == rest.len() || rest[i + 1..].starts_with(' '))))
            .map_or(rest.len(), |(i, _)| i),
    };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start + length.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seatrial::error::Position;

    #[test]
    fn problems_show_their_line() {
        let problem = Problem {
            file: Some("web.yaml".into()),
            position: Some(Position { line: 10, column: 7 }),
            line_text: Some("      maxSurgee: 25%".to_string()),
            field: Some("spec.strategy.rollingUpdate.maxSurgee".to_string()),
            message: "unknown field `maxSurgee`".to_string(),
            hint: Some("did you mean `maxSurge`?".to_string()),
        };
        let text = render(&problem, &Level::ERROR, &Renderer::plain());
        let wanted = "error: unknown field `maxSurgee`
  --> web.yaml:10:7
   |
10 |       maxSurgee: 25%
   |       ^^^^^^^^^ spec.strategy.rollingUpdate.maxSurgee
   |
   = help: did you mean `maxSurge`?";
        assert_eq!(text, wanted);
    }

    #[test]
    fn the_caret_covers_a_word() {
        for (line, start, end) in [
            ("a: b c", 3, 4),
            ("name: x", 0, 4),
            ("url: http://x:80/y", 5, 18),
            ("a: 'b c' d", 3, 8),
            ("{a: b}", 4, 5),
            ("a: é", 3, 5),
            ("", 0, 0),
            ("a:", 0, 1),
            ("  ", 1, 2),
            ("a: \"x", 3, 5),
        ] {
            assert_eq!(end_of(line, start), end, "{line}");
        }
    }
}
