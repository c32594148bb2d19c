//! Expression text to tokens.

use super::Mistake;
use crate::assertion::Comparison;
use crate::scenario::duration;
use crate::time::Span;
use std::ops::Range;

/// A token and its bytes in the text.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Token {
    pub(super) at: Range<usize>,
    pub(super) what: Lexeme,
}

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Lexeme {
    Number(f64),
    Percent(u32),
    Time(Span),
    Text(String),
    Word(String),
    Compare(Comparison),
    Plus,
    Minus,
    Star,
    Comma,
    Open,
    Close,
}

/// Cuts a text into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut all = Vec::new();
    let mut start = 0;
    while let Some(c) = text[start..].chars().next() {
        if c.is_whitespace() {
            start += c.len_utf8();
            continue;
        }
        let (what, length) = token(text, start, c)?;
        all.push(Token { at: start..start + length, what });
        start += length;
    }
    Ok(all)
}

fn token(text: &str, start: usize, c: char) -> Result<(Lexeme, usize), Mistake> {
    let rest = &text[start..];
    let two = |s: &str| rest.starts_with(s);
    let simple = match c {
        '(' => Some((Lexeme::Open, 1)),
        ')' => Some((Lexeme::Close, 1)),
        ',' => Some((Lexeme::Comma, 1)),
        '+' => Some((Lexeme::Plus, 1)),
        '-' | '−' => Some((Lexeme::Minus, c.len_utf8())),
        '*' => Some((Lexeme::Star, 1)),
        '≥' => Some((Lexeme::Compare(Comparison::AtLeast), c.len_utf8())),
        '≤' => Some((Lexeme::Compare(Comparison::AtMost), c.len_utf8())),
        _ if two(">=") => Some((Lexeme::Compare(Comparison::AtLeast), 2)),
        _ if two("<=") => Some((Lexeme::Compare(Comparison::AtMost), 2)),
        _ if two("==") => Some((Lexeme::Compare(Comparison::Equal), 2)),
        _ if two("!=") => Some((Lexeme::Compare(Comparison::NotEqual), 2)),
        '>' => Some((Lexeme::Compare(Comparison::More), 1)),
        '<' => Some((Lexeme::Compare(Comparison::Less), 1)),
        _ => None,
    };
    if let Some(found) = simple {
        return Ok(found);
    }
    match c {
        '"' | '\'' => quoted(rest, start, c),
        _ if c.is_ascii_digit() => amount(rest, start),
        _ if c.is_alphabetic() || c == '_' => {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            Ok((Lexeme::Word(rest[..length].to_string()), length))
        }
        '=' => Err(Mistake::new(start..start + 1, "`=` is not a comparison").with_hint("write `==`")),
        '&' | '|' | '!' => {
            Err(Mistake::new(start..start + 1, format!("`{c}` is not an operator")).with_hint("write and, or, not"))
        }
        _ => Err(Mistake::new(start..start + c.len_utf8(), format!("`{c}` has no meaning here"))),
    }
}

/// Whether a character may stand in a name such as `shop/deployment/web`,
/// `web/2#0` or `app:v2`. A minus must stand apart for this reason.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_-./:#@".contains(c)
}

fn quoted(rest: &str, start: usize, quote: char) -> Result<(Lexeme, usize), Mistake> {
    match rest[1..].find(quote) {
        Some(end) => Ok((Lexeme::Text(rest[1..=end].to_string()), end + 2)),
        None => Err(Mistake::new(start..start + rest.len(), format!("the closing {quote} is missing"))),
    }
}

/// A number, a percentage or a duration.
fn amount(rest: &str, start: usize) -> Result<(Lexeme, usize), Mistake> {
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
    let text = &rest[..length];
    let refuse = |message: String| Mistake::new(start..start + length, message);
    if rest[length..].starts_with('%') {
        let percent = text.parse().map_err(|_| refuse(format!("`{text}%` is not a whole percentage")))?;
        return Ok((Lexeme::Percent(percent), length + 1));
    }
    if let Ok(number) = text.parse::<f64>()
        && number.abs() < 1.0e12
        && text.chars().all(|c| c.is_ascii_digit() || c == '.')
    {
        return Ok((Lexeme::Number(number), length));
    }
    duration::parse(text).map(|d| (Lexeme::Time(d), length)).map_err(refuse)
}
