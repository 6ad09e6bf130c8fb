//! Charts as SVG, each by itself: no file, font or script from elsewhere. They follow the reader's choice of light or dark.
//!
//! - [`over_time`]: what was measured each second, a plot for each series.
//! - [`growth`]: how several costs grow with one size, in one plot.

pub(crate) mod growth;
pub(crate) mod over_time;
mod style;
