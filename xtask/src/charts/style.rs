//! What all charts look like.

/// The style sheet, for a light and a dark background.
pub(super) const STYLE: &str = "\
    text { font: 12px system-ui, sans-serif; fill: #1f2328; }\n\
    .page { fill: #ffffff; }\n\
    .name { font-weight: 600; font-size: 13px; }\n\
    .small { fill: #59636e; }\n\
    .grid { stroke: #d1d9e0; }\n\
    .line { fill: none; stroke: #0969da; stroke-width: 1.5; stroke-linejoin: round; }\n\
    .line1 { stroke: #bc4c00; }\n\
    .line2 { stroke: #1a7f37; }\n\
    .line3 { stroke: #8250df; }\n\
    .line4 { stroke: #59636e; stroke-dasharray: 5 3; }\n\
    @media (prefers-color-scheme: dark) {\n\
      text { fill: #f0f6fc; }\n\
      .page { fill: #0d1117; }\n\
      .small { fill: #9198a1; }\n\
      .grid { stroke: #3d444d; }\n\
      .line { stroke: #4493f8; }\n\
      .line1 { stroke: #f0883e; }\n\
      .line2 { stroke: #3fb950; }\n\
      .line3 { stroke: #ab7df8; }\n\
      .line4 { stroke: #9198a1; }\n\
    }\n";

/// Writes a number as short as a tick of a scale may be.
pub(super) fn short(number: f64) -> String {
    if number.fract().abs() < 0.05 { format!("{number:.0}") } else { format!("{number:.1}") }
}
