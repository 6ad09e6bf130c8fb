//! Texts with places for others.

/// Returns a template in which texts stand in place of markers. The texts are not searched for markers.
pub(super) fn fill(template: &str, texts: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    loop {
        let places = texts.iter().filter_map(|(marker, text)| Some((rest.find(marker)?, *marker, *text)));
        let Some((at, marker, text)) = places.min_by_key(|(at, _, _)| *at) else { break };
        out.push_str(&rest[..at]);
        out.push_str(text);
        rest = &rest[at + marker.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_text_that_looks_like_a_marker_stays() {
        assert_eq!(fill("a @x@ b @y@ @x@", &[("@x@", "@y@"), ("@y@", "1")]), "a @y@ b 1 @y@");
    }
}
