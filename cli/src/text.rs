//! The look of output. Colours are left out by `anstream` where the output is no terminal.

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Returns `text` in `style`.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns the text of an error.
pub(crate) fn error(text: &str) -> String {
    format!("{}: {text}", styled(RED, "error"))
}

/// Writes an error with what caused it. Many errors tell their cause themselves: what has been said is not repeated.
pub(crate) fn causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += ": ";
            text += &cause;
        }
    }
    text
}

/// Returns a number of bytes in the unit that suits it.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..10_240 => format!("{count} bytes"),
        10_240..10_485_760 => format!("{} KiB", count.div_ceil(1024)),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a documentation as lines with an indentation.
pub(crate) fn indented(docs: &str, by: usize) -> String {
    docs.lines().map(|line| format!("{:by$}{line}\n", "").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let twice = anyhow!("no such file").context("cannot be written: no such file").context("calc.polyplug");
        assert_eq!(causes(&twice), "calc.polyplug: cannot be written: no such file");
        let apart = Err::<(), _>(anyhow!("no such file")).context("cannot read the folder").unwrap_err();
        assert_eq!(causes(&apart), "cannot read the folder: no such file");
    }
}
