//! A chart of costs that grow with a size. The sizes stand at equal distances, the costs on a logarithmic scale.

use std::fmt::Write as _;

use super::style::{STYLE, short};

/// A chart: what it shows, and its points.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    pub(crate) title: String,
    /// What grows, along the horizontal axis.
    pub(crate) across: String,
    /// The unit of the costs.
    pub(crate) up: String,
    /// The sizes, in their order.
    pub(crate) sizes: Vec<String>,
    /// The name of each series with a value for each size.
    pub(crate) series: Vec<(String, Vec<f64>)>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 62.0;
const PLOT: f64 = 220.0;
const BELOW: f64 = 42.0;
/// The width of a letter of the legend, about.
const LETTER: f64 = 6.6;

/// The number of looks that lines have.
const LOOKS: usize = 5;

/// Draws the chart.
pub(crate) fn draw(chart: &Growth) -> String {
    let height = TOP + PLOT + BELOW;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{}</title>\n<style>\n\
         {STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n",
        chart.title
    );
    let _ = writeln!(
        out,
        "<text class=\"name\" x=\"{LEFT}\" y=\"24\">{}</text>\n<text class=\"small\" x=\"{}\" y=\"24\" text-anchor=\"end\">{}, \
         logarithmic</text>",
        chart.title,
        WIDTH - RIGHT,
        chart.up
    );
    let scale = Scale::of(chart.series.iter().flat_map(|(_, values)| values).copied());
    for decade in scale.first..=scale.last {
        let (y, tick) = (scale.y(10.0_f64.powi(decade)), 10.0_f64.powi(decade));
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n<text class=\"small\" x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            tick_label(tick)
        );
    }
    let step = (WIDTH - LEFT - RIGHT) / chart.sizes.len().max(1) as f64;
    let x = |number: usize| LEFT + step * (number as f64 + 0.5);
    for (number, size) in chart.sizes.iter().enumerate() {
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x(number),
            TOP + PLOT + 18.0
        );
    }
    let _ = writeln!(
        out,
        "<text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
        TOP + PLOT + 35.0,
        chart.across
    );
    let mut legend = LEFT;
    for (look, (name, values)) in chart.series.iter().enumerate() {
        let look = format!("line line{}", look % LOOKS);
        let points =
            values.iter().enumerate().map(|(number, value)| format!("{:.1},{:.1}", x(number), scale.y(*value)));
        let shown = values.iter().zip(&chart.sizes).map(|(value, size)| format!("{size}: {}", short(*value)));
        let _ = writeln!(
            out,
            "<g><title>{name}, {}. {}</title>\n<polyline class=\"{look}\" points=\"{}\"/>\n<line class=\"{look}\" x1=\"{legend:.1}\" \
             x2=\"{:.1}\" y1=\"42\" y2=\"42\"/>\n<text x=\"{:.1}\" y=\"46\">{name}</text></g>",
            chart.up,
            shown.collect::<Vec<_>>().join(", "),
            points.collect::<Vec<_>>().join(" "),
            legend + 20.0,
            legend + 26.0
        );
        legend += 26.0 + LETTER * name.len() as f64 + 18.0;
    }
    out + "</svg>\n"
}

/// A scale of whole powers of ten.
struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let positive = || values.clone().filter(|value| *value > 0.0).map(f64::log10);
        let first = positive().map(|power| power.floor() as i32).min().unwrap_or(0);
        let last = positive().map(|power| power.ceil() as i32).max().unwrap_or(1);
        Self { first, last: last.max(first + 1) }
    }

    /// Returns the height of a value; a value of zero lies on the lowest line.
    fn y(&self, value: f64) -> f64 {
        let power = if value > 0.0 { value.log10() } else { f64::from(self.first) };
        let share = (power - f64::from(self.first)) / f64::from(self.last - self.first);
        TOP + PLOT * (1.0 - share)
    }
}

/// Writes a power of ten.
fn tick_label(power: f64) -> String {
    match power {
        power if power >= 1e6 => format!("{:.0} M", power / 1e6),
        power if power >= 1e3 => format!("{:.0} k", power / 1e3),
        power => format!("{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_has_its_line_and_its_name() {
        let chart = Growth {
            title: "Bytes".into(),
            across: "bytes".into(),
            up: "ns".into(),
            sizes: vec!["0".into(), "1 Ki".into()],
            series: vec![("Rust".into(), vec![1.0, 100.0]), ("Lua".into(), vec![0.0, 10.0])],
        };
        let svg = draw(&chart);
        // From the lowest line to the highest, which is the second power of ten above it.
        assert!(svg.contains("points=\"241.0,282.0 571.0,62.0\""), "{svg}");
        assert!(svg.contains("points=\"241.0,282.0 571.0,172.0\""), "{svg}");
        for part in [">Rust</text>", ">Lua</text>", "line1", ">1 Ki</text>", "prefers-color-scheme: dark", "1 Ki: 100"]
        {
            assert!(svg.contains(part), "{part} is in {svg}");
        }
    }

    #[test]
    fn a_chart_without_points_is_a_chart() {
        let svg = draw(&Growth::default());
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!([0.1, 1.0, 1e3, 1e6].map(tick_label), ["0.1", "1", "1 k", "1 M"]);
    }
}
