//! A chart of series over time.

use std::fmt::Write as _;

use super::style::{STYLE, short};

/// A number that was measured once a second.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<f64>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
/// The height of one series' plot, and of all that belongs to it.
const PLOT: f64 = 100.0;
const ROW: f64 = 150.0;
const TOP: f64 = 30.0;

/// Draws each series in a plot of its own, one below the other, on scales that begin with zero.
pub(crate) fn draw(series: &[Series]) -> String {
    let height = ROW * series.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>What the process \
         occupies over time</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n"
    );
    for (number, series) in series.iter().enumerate() {
        plot(&mut out, series, ROW * number as f64);
    }
    out + "</svg>\n"
}

fn plot(out: &mut String, series: &Series, top: f64) {
    let values = &series.values;
    let (least, most) =
        values.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), &value| (least.min(value), most.max(value)));
    let scale = ceiling(most);
    let (left, right, above, below) = (LEFT, WIDTH - RIGHT, top + TOP, top + TOP + PLOT);
    let y = |value: f64| below - PLOT * value / scale;
    let range = if values.is_empty() {
        "nothing was measured".to_owned()
    } else {
        format!("from {} to {}", short(least), short(most))
    };
    let _ = writeln!(out, "<g><title>{}: {range}</title>", series.name);
    let _ = writeln!(out, "<text class=\"name\" x=\"{left}\" y=\"{}\">{}</text>", above - 12.0, series.name);
    let _ =
        writeln!(out, "<text class=\"small\" x=\"{right}\" y=\"{}\" text-anchor=\"end\">{range}</text>", above - 12.0);
    for tick in [0.0, scale / 2.0, scale] {
        let at = y(tick);
        let _ = writeln!(out, "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{at}\" y2=\"{at}\"/>");
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            at + 4.0,
            short(tick)
        );
    }
    let step = (right - left) / values.len().saturating_sub(1).max(1) as f64;
    let points =
        values.iter().enumerate().map(|(second, value)| format!("{:.1},{:.1}", left + step * second as f64, y(*value)));
    let _ = writeln!(out, "<polyline class=\"line\" points=\"{}\"/>", points.collect::<Vec<_>>().join(" "));
    let _ = writeln!(out, "<text class=\"small\" x=\"{left}\" y=\"{}\">0 s</text>", below + 15.0);
    let _ = writeln!(
        out,
        "<text class=\"small\" x=\"{right}\" y=\"{}\" text-anchor=\"end\">{} s</text></g>",
        below + 15.0,
        values.len()
    );
}

/// Returns the end of a scale on which `most` has its place: 1, 2 or 5 times a power of ten.
fn ceiling(most: f64) -> f64 {
    let power = 10.0_f64.powf(most.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|end| *end >= most).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_with_a_short_number() {
        for (most, end) in [
            (0.0, 1.0),
            (0.4, 1.0),
            (1.0, 1.0),
            (7.0, 10.0),
            (10.0, 10.0),
            (13.0, 20.0),
            (480.0, 500.0),
            (501.0, 1000.0),
        ] {
            assert!((ceiling(most) - end).abs() < 1e-9, "{most}: {}", ceiling(most));
        }
    }

    #[test]
    fn values_lie_between_the_ends_of_their_scale() {
        let svg =
            draw(&[Series { name: "a", values: vec![0.0, 10.0, 5.0] }, Series { name: "none", values: Vec::new() }]);
        assert!(svg.contains("points=\"56.0,130.0 400.0,30.0 744.0,80.0\""), "{svg}");
        assert!(svg.contains("nothing was measured") && svg.contains("prefers-color-scheme: dark"), "{svg}");
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    }
}
