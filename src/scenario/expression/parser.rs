//! Tokens to a tree.

use super::lexer::{Lexeme, Token, tokens};
use super::{Argument, ClaimText, Expr, Mistake, Moment, Node, Operator};
use crate::time::Span;
use std::ops::Range;

/// Parentheses and `not` may be nested this deep.
const MAX_DEPTH: usize = 40;
/// More words than this are not an expression but a mistake.
const MAX_TOKENS: usize = 500;

/// Reads an expression.
///
/// # Errors
/// The first mistake and where it is.
pub fn parse(text: &str) -> Result<Expr, Mistake> {
    let claim = parse_claim(text)?;
    match claim.within.or(claim.lasting) {
        None => Ok(claim.expr),
        Some(_) => Err(Mistake::new(0..text.len(), "`within` and `for` have no meaning here")),
    }
}

/// Reads an expression that `within 6m` or `for 30s` may follow.
///
/// # Errors
/// The first mistake and where it is.
pub fn parse_claim(text: &str) -> Result<ClaimText, Mistake> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, next: 0, end: text.len(), depth: 0 };
    if parser.tokens.is_empty() {
        return Err(Mistake::new(0..text.len(), "there is nothing here")
            .with_hint("write something like available(deployment/web) >= 8"));
    }
    if let Some(token) = parser.tokens.get(MAX_TOKENS) {
        return Err(Mistake::new(token.at.start..text.len(), "this expression is too long"));
    }
    let expr = parser.or()?;
    let (mut within, mut lasting) = (None, None);
    loop {
        if parser.word("within") {
            within = Some(parser.duration("within")?);
        } else if parser.word("for") {
            lasting = Some(parser.duration("for")?);
        } else {
            break;
        }
    }
    match parser.peek() {
        None => Ok(ClaimText { expr, within, lasting }),
        Some(token) => Err(parser.unexpected(&token.clone(), "the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |t| t.at.clone())
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, what: &Lexeme) -> bool {
        let fits = self.peek().is_some_and(|t| t.what == *what);
        self.next += usize::from(fits);
        fits
    }

    /// Takes the next token if it is this word.
    fn word(&mut self, word: &str) -> bool {
        let fits = matches!(self.peek(), Some(Token { what: Lexeme::Word(w), .. }) if w == word);
        self.next += usize::from(fits);
        fits
    }

    fn unexpected(&self, token: &Token, wanted: &str) -> Mistake {
        let found = match &token.what {
            Lexeme::Word(w) => format!("`{w}`"),
            Lexeme::Text(t) => format!("the text {t:?}"),
            Lexeme::Number(n) => format!("{n}"),
            Lexeme::Percent(p) => format!("{p}%"),
            Lexeme::Time(t) => format!("{t}"),
            Lexeme::Compare(c) => format!("`{c}`"),
            Lexeme::Plus => "`+`".to_string(),
            Lexeme::Minus => "`-`".to_string(),
            Lexeme::Star => "`*`".to_string(),
            Lexeme::Comma => "`,`".to_string(),
            Lexeme::Open => "`(`".to_string(),
            Lexeme::Close => "`)`".to_string(),
        };
        Mistake::new(token.at.clone(), format!("expected {wanted}, found {found}"))
    }

    fn wanted<T>(&self, wanted: &str) -> Result<T, Mistake> {
        Err(match self.peek() {
            Some(token) => self.unexpected(token, wanted),
            None => Mistake::new(self.end..self.end, format!("expected {wanted}, but the expression ends here")),
        })
    }

    fn binary(operator: Operator, a: Expr, b: Expr) -> Expr {
        Expr { at: a.at.start..b.at.end, node: Node::Binary(operator, Box::new(a), Box::new(b)) }
    }

    fn or(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Parser::binary(Operator::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.not()?;
        while self.word("and") {
            left = Parser::binary(Operator::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Mistake> {
        let start = self.here();
        if !self.word("not") {
            return self.comparison();
        }
        self.deeper(&start)?;
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Expr { at: start.start..inner.at.end, node: Node::Not(Box::new(inner)) })
    }

    fn deeper(&mut self, at: &Range<usize>) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Mistake::new(at.clone(), format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<Expr, Mistake> {
        let left = self.sum()?;
        let Some(Token { what: Lexeme::Compare(how), .. }) = self.peek().cloned() else { return Ok(left) };
        self.next += 1;
        let whole = Parser::binary(Operator::Compare(how), left, self.sum()?);
        if let Some(Token { what: Lexeme::Compare(_), at }) = self.peek() {
            return Err(Mistake::new(at.clone(), "comparisons do not chain").with_hint("write `a < b and b < c`"));
        }
        Ok(whole)
    }

    fn sum(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek().map(|t| &t.what) {
                Some(Lexeme::Plus) => Operator::Plus,
                Some(Lexeme::Minus) => Operator::Minus,
                _ => return Ok(left),
            };
            self.next += 1;
            left = Parser::binary(operator, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.primary()?;
        while self.take(&Lexeme::Star) {
            left = Parser::binary(Operator::Times, left, self.primary()?);
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<Expr, Mistake> {
        let Some(token) = self.peek().cloned() else { return self.wanted("a value") };
        self.next += 1;
        let at = token.at.clone();
        let node = match token.what {
            Lexeme::Number(n) => Node::Number(n),
            Lexeme::Time(t) => Node::Time(t),
            Lexeme::Text(t) => Node::Text(t),
            Lexeme::Star => Node::Word("*".to_string()),
            Lexeme::Percent(p) => {
                if !self.word("of") {
                    return Err(Mistake::new(at, format!("{p}% of what?"))
                        .with_hint(format!("write {p}% of desired(deployment/web)")));
                }
                self.deeper(&at)?;
                let of = self.primary()?;
                self.depth -= 1;
                return Ok(Expr { at: at.start..of.at.end, node: Node::Percent(p, Box::new(of)) });
            }
            Lexeme::Open => {
                self.deeper(&at)?;
                let inner = self.or()?;
                self.depth -= 1;
                if !self.take(&Lexeme::Close) {
                    return self.wanted("`)`");
                }
                return Ok(inner);
            }
            Lexeme::Word(name) if self.peek().is_some_and(|t| t.what == Lexeme::Open) => {
                self.next += 1;
                self.deeper(&at)?;
                let arguments = self.arguments()?;
                self.depth -= 1;
                let end = self.tokens[self.next - 1].at.end;
                return Ok(Expr { at: at.start..end, node: Node::Call(name, arguments) });
            }
            Lexeme::Word(word) if ["and", "or", "within", "for", "after", "before", "of"].contains(&&*word) => {
                self.next -= 1;
                return self.wanted("a value");
            }
            Lexeme::Word(word) => Node::Word(word),
            _ => {
                self.next -= 1;
                return self.wanted("a value");
            }
        };
        Ok(Expr { at, node })
    }

    /// What stands between the parentheses of a call, the closing one included.
    fn arguments(&mut self) -> Result<Vec<Argument>, Mistake> {
        let mut all = Vec::new();
        if self.take(&Lexeme::Close) {
            return Ok(all);
        }
        loop {
            let mut argument = Argument { value: self.or()?, after: None, before: None };
            loop {
                if self.word("after") {
                    argument.after = Some(self.moment()?);
                } else if self.word("before") {
                    argument.before = Some(self.moment()?);
                } else {
                    break;
                }
            }
            all.push(argument);
            if self.take(&Lexeme::Close) {
                return Ok(all);
            }
            if !self.take(&Lexeme::Comma) {
                return self.wanted("`,` or `)`");
            }
        }
    }

    fn moment(&mut self) -> Result<Moment, Mistake> {
        let Some(token) = self.peek().cloned() else { return self.wanted("a time or an action") };
        self.next += 1;
        let mut moment = Moment { at: token.at.clone(), action: None, plus: Some(Span::ZERO) };
        match token.what {
            Lexeme::Time(t) => moment.plus = Some(t),
            Lexeme::Number(0.0) => {}
            Lexeme::Word(word) if word == "end" => moment.plus = None,
            Lexeme::Word(action) | Lexeme::Text(action) => {
                moment.action = Some(action);
                if self.take(&Lexeme::Plus) {
                    moment.plus = Some(self.duration("+")?);
                    moment.at.end = self.tokens[self.next - 1].at.end;
                }
            }
            _ => {
                self.next -= 1;
                return self.wanted("a time such as 30s, `end`, or an action's name");
            }
        }
        Ok(moment)
    }

    fn duration(&mut self, after: &str) -> Result<Span, Mistake> {
        match self.peek().map(|t| &t.what) {
            Some(Lexeme::Time(t)) => {
                let t = *t;
                self.next += 1;
                Ok(t)
            }
            _ => self.wanted(&format!("a duration such as 30s after `{after}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in a form that is easy to compare.
    fn show(expr: &Expr) -> String {
        match &expr.node {
            Node::Number(n) => format!("{n}"),
            Node::Percent(p, of) => format!("({p}% {})", show(of)),
            Node::Time(t) => format!("{t}"),
            Node::Text(t) => format!("{t:?}"),
            Node::Word(w) => w.clone(),
            Node::Not(e) => format!("(not {})", show(e)),
            Node::Binary(op, a, b) => {
                let op = match op {
                    Operator::Or => "or".to_string(),
                    Operator::And => "and".to_string(),
                    Operator::Compare(c) => c.to_string(),
                    Operator::Plus => "+".to_string(),
                    Operator::Minus => "-".to_string(),
                    Operator::Times => "*".to_string(),
                };
                format!("({op} {} {})", show(a), show(b))
            }
            Node::Call(name, arguments) => {
                let all: Vec<String> = arguments
                    .iter()
                    .map(|a| {
                        let side = |word: &str, m: &Option<Moment>| {
                            m.as_ref().map_or(String::new(), |m| {
                                let plus = m.plus.map_or("end".to_string(), |p| p.to_string());
                                format!(" {word} {}+{plus}", m.action.clone().unwrap_or_default())
                            })
                        };
                        format!("{}{}{}", show(&a.value), side("after", &a.after), side("before", &a.before))
                    })
                    .collect();
                format!("{name}[{}]", all.join(", "))
            }
        }
    }

    #[test]
    fn expressions_become_trees() {
        for (text, tree) in [
            ("available(deployment/web) >= 8", "(>= available[deployment/web] 8)"),
            ("on-node(web/2#0)<=4", "(<= on-node[web/2#0] 4)"),
            ("a + b * 2 - c < 3", "(< (- (+ a (* b 2)) c) 3)"),
            ("not a and b or c", "(or (and (not a) b) c)"),
            ("not (a or b)", "(not (or a b))"),
            ("ready(x) >= 60% of desired(x)", "(>= ready[x] (60% desired[x]))"),
            ("duration(ready(x) < 8) <= 1m30s", "(<= duration[(< ready[x] 8)] 1m30s)"),
            ("count(created(web/1) after 10s) == 7", "(== count[created[web/1] after +10s] 7)"),
            (
                "min(ready(x) after setImage + 5s before end) > 7.5",
                "(> min[ready[x] after setImage+5s before +end] 7.5)",
            ),
            (
                "condition(deployment/web, Progressing) == \"False/X\"",
                "(== condition[deployment/web, Progressing] \"False/X\")",
            ),
            ("event(Killing, *)", "event[Killing, *]"),
            ("a ≥ 1 and b ≤ 2", "(and (>= a 1) (<= b 2))"),
            ("max(ready(a)-1) == 2", "(== max[(- ready[a] 1)] 2)"),
            ("at(x(shop/deployment/web), end) == 1", "(== at[x[shop/deployment/web], end] 1)"),
        ] {
            assert_eq!(parse(text).map(|e| show(&e)).as_deref(), Ok(tree), "{text}");
        }
        let claim = parse_claim("complete(deployment/web) for 30s within 6m").unwrap();
        assert_eq!((claim.within, claim.lasting), (Some(Span::from_secs(360)), Some(Span::from_secs(30))));
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (text, at, message) in [
            ("", 0..0, "there is nothing here"),
            ("available(deployment/web) = 8", 26..27, "`=` is not a comparison"),
            ("available(deployment/web >= 8", 29..29, "expected `,` or `)`, but the expression ends here"),
            ("available() >= ", 15..15, "expected a value, but the expression ends here"),
            ("a >= 8 8", 7..8, "expected the end, found 8"),
            ("a < b < c", 6..7, "comparisons do not chain"),
            ("a >= 25%", 5..8, "25% of what?"),
            ("a && b", 2..3, "`&` is not an operator"),
            ("a >= 10x", 5..8, "`10x` is not a duration"),
            ("a == \"x", 5..7, "the closing \" is missing"),
            ("a within 5", 9..10, "expected a duration such as 30s after `within`, found 5"),
            ("a within", 8..8, "expected a duration such as 30s after `within`, but"),
            ("and a", 0..3, "expected a value, found `and`"),
            ("a ; b", 2..3, "`;` has no meaning here"),
            ("(a", 2..2, "expected `)`"),
            (")", 0..1, "expected a value, found `)`"),
            ("count(x after )", 14..15, "expected a time such as 30s"),
            ("1.2.3 > 1", 0..5, "`1.2.3` is not a duration"),
        ] {
            let mistake = parse_claim(text).unwrap_err();
            assert!(mistake.message.starts_with(message), "{text}: {mistake:?}");
            assert_eq!(mistake.at, at, "{text}: {mistake:?}");
        }
        for part in ["(", "not ", "f(", "1% of ", "a + ", "a or "] {
            assert!(parse(&part.repeat(100)).is_err(), "{part}");
            assert!(parse(&part.repeat(100_000)).is_err(), "{part}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let parts = ["a", "(", ")", ",", "1", "2s", "%", " of ", "\"", "'", ">=", "not ", " within ", "é", "*", "-", "\u{0}"];
        for i in 0..parts.len() {
            for j in 0..parts.len() {
                for k in 0..parts.len() {
                    let _ = parse_claim(&[parts[i], parts[j], parts[k], parts[j]].concat());
                }
            }
        }
    }
}
