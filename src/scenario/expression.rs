//! The little language of assertions: text to a tree with places. What names
//! mean is decided when the tree is [resolved](super::resolve).
//!
//! ```text
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = "not" not | comparison
//! comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//! sum        = product { ("+" | "-") product }
//! product    = primary { "*" primary }
//! primary    = number | duration | string | percent "of" primary
//!            | word [ "(" argument { "," argument } ")" ] | "(" or ")"
//! argument   = or { ("after" | "before") moment }
//! moment     = duration | "end" | action [ "+" duration ]
//! ```

mod lexer;
mod parser;

pub use parser::{parse, parse_claim};

use std::ops::Range;

/// What is wrong with an expression, and where in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The bytes of the expression that are wrong.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake without advice.
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake { at, message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Mistake {
        self.hint = Some(hint.into());
        self
    }
}

/// A part of an expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// What it is.
    pub node: Node,
}

/// What an [`Expr`] is.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// A number.
    Number(f64),
    /// A percentage of something.
    Percent(u32, Box<Expr>),
    /// A length of time.
    Time(crate::time::Span),
    /// A quoted text.
    Text(String),
    /// A name: an object, a condition, a reason, an action.
    Word(String),
    /// A function and its arguments.
    Call(String, Vec<Argument>),
    /// Two parts with an operator between.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `not`.
    Not(Box<Expr>),
}

/// An argument and the window it is read in.
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    /// The argument.
    pub value: Expr,
    /// `after …`
    pub after: Option<Moment>,
    /// `before …`
    pub before: Option<Moment>,
}

/// A moment of the run.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// An action's name; `None` for the beginning of the run.
    pub action: Option<String>,
    /// This long after that; `None` for the end of the run.
    pub plus: Option<crate::time::Span>,
}

/// What stands between two parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `or`
    Or,
    /// `and`
    And,
    /// A comparison.
    Compare(crate::assertion::Comparison),
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
}

/// An expression with what may follow it in an assertion.
#[derive(Clone, PartialEq, Debug)]
pub struct ClaimText {
    /// The expression.
    pub expr: Expr,
    /// `within 6m`
    pub within: Option<crate::time::Span>,
    /// `for 30s`
    pub lasting: Option<crate::time::Span>,
}
