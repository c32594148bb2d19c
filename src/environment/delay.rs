//! How long things take: a constant, or a draw from a distribution.

use crate::time::Span;

/// How long something takes.
#[derive(Clone, PartialEq, Debug)]
pub enum Delay {
    /// It never happens.
    Never,
    /// Always the same.
    Constant(Span),
    /// Anything between, equally likely.
    Uniform {
        /// The least.
        low: Span,
        /// The most.
        high: Span,
    },
    /// Bell-shaped, cut off at zero.
    Normal {
        /// The middle.
        mean: Span,
        /// The standard deviation.
        deviation: Span,
    },
    /// Skewed to the right, as start-up times are.
    LogNormal {
        /// Half of the draws are below.
        median: Span,
        /// 99 of 100 draws are below.
        p99: Span,
    },
    /// Memoryless.
    Exponential {
        /// The average.
        mean: Span,
    },
    /// One of these, equally likely.
    Empirical(Vec<Span>),
}
