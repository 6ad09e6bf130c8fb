//! `polyplug graph`.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use polyplug::loader::ManifestData;

use crate::args::Graph;
use crate::bundle::Opened;
use crate::contracts;
use crate::exit::Exit;
use crate::text::{BOLD, RED, causes, styled};

/// A bundle of the folder.
struct Node {
    name: String,
    version: String,
    /// The contracts that the bundle provides, with their minor versions.
    provides: Vec<(String, u32, u32)>,
    needs: Vec<(String, u32, u32)>,
    /// Why the contracts are not known.
    fault: Option<String>,
}

/// A need, and the number of the bundle that meets it.
struct Edge {
    from: usize,
    to: Option<usize>,
    contract: String,
}

pub(crate) fn run(args: &Graph) -> Result<Exit> {
    let nodes = nodes(args)?;
    let edges = edges(&nodes);
    let text = if args.dot {
        dot(&nodes, &edges)
    } else if args.svg {
        svg(&nodes, &edges)
    } else {
        plain(&nodes, &edges)
    };
    anstream::print!("{text}");
    Ok(Exit::Fine)
}

fn nodes(args: &Graph) -> Result<Vec<Node>> {
    let entries = std::fs::read_dir(&args.folder).with_context(|| format!("cannot read {}", args.folder.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", args.folder.display()))?.path();
        if path.join("manifest.toml").is_file() || contracts::is_pack(&path) {
            folders.push(path);
        }
    }
    folders.sort();
    let contracts = contracts::read_all(&args.contracts)?;
    let node = |folder: &std::path::PathBuf| {
        let manifest = ManifestData::read(folder)?;
        let opened = Opened::load_alone(folder, &contracts);
        let provides = opened.as_ref().map(|opened| {
            let plugins = opened.info.plugins.iter();
            plugins.map(|of| (of.contract.clone(), of.contract_version.major, of.contract_version.minor)).collect()
        });
        Ok(Node {
            provides: provides.unwrap_or_default(),
            needs: manifest.dependencies.iter().map(|of| (of.contract.clone(), of.major, of.minor)).collect(),
            fault: opened.err().map(|error| causes(&error)),
            version: manifest.version.to_string(),
            name: manifest.name,
        })
    };
    folders.iter().map(node).collect()
}

fn edges(nodes: &[Node]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (from, node) in nodes.iter().enumerate() {
        for (contract, major, minor) in &node.needs {
            let meets = |of: &(String, u32, u32)| of.0 == *contract && of.1 == *major && of.2 >= *minor;
            let to =
                nodes.iter().enumerate().position(|(number, other)| number != from && other.provides.iter().any(meets));
            edges.push(Edge { from, to, contract: format!("{contract}@{major}.{minor}") });
        }
    }
    edges
}

fn plain(nodes: &[Node], edges: &[Edge]) -> String {
    let mut out = String::new();
    for (number, node) in nodes.iter().enumerate() {
        let _ = writeln!(out, "{} {}", styled(BOLD, &node.name), node.version);
        for (contract, major, minor) in &node.provides {
            let _ = writeln!(out, "  provides {contract}@{major}.{minor}");
        }
        for edge in edges.iter().filter(|edge| edge.from == number) {
            let by = match edge.to {
                Some(to) => format!("from {}", nodes[to].name),
                None => styled(RED, "which no bundle of the folder provides"),
            };
            let _ = writeln!(out, "  needs {} {by}", edge.contract);
        }
        if let Some(fault) = &node.fault {
            let _ = writeln!(out, "  {}: {fault}", styled(RED, "does not load"));
        }
    }
    out
}

fn dot(nodes: &[Node], edges: &[Edge]) -> String {
    let mut out = "digraph bundles {\n    rankdir = LR;\n    node [shape = box];\n".to_owned();
    for (number, node) in nodes.iter().enumerate() {
        let _ = writeln!(out, "    b{number} [label = {:?}];", format!("{} {}", node.name, node.version));
    }
    for (number, edge) in edges.iter().enumerate() {
        let to = edge.to.map_or_else(|| format!("missing{number}"), |to| format!("b{to}"));
        if edge.to.is_none() {
            let _ = writeln!(out, "    {to} [label = \"nobody\", style = dashed];");
        }
        let _ = writeln!(out, "    b{} -> {to} [label = {:?}];", edge.from, edge.contract);
    }
    out + "}\n"
}

/// Draws the bundles in columns: a bundle stands right of all that it needs.
fn svg(nodes: &[Node], edges: &[Edge]) -> String {
    const WIDTH: usize = 200;
    const HEIGHT: usize = 40;
    const COLUMN: usize = 320;
    const ROW: usize = 70;
    let mut column = vec![0; nodes.len()];
    // Bundles that need each other in a circle end when each has been moved as often as there are bundles.
    for _ in 0..nodes.len() {
        for edge in edges {
            if let Some(to) = edge.to {
                column[edge.from] = column[edge.from].max((column[to] + 1).min(nodes.len()));
            }
        }
    }
    let mut rows = BTreeMap::new();
    let places: Vec<_> = column
        .iter()
        .map(|column| {
            let row = rows.entry(*column).or_insert(0);
            *row += 1;
            (20 + column * COLUMN, 20 + (*row - 1) * ROW)
        })
        .collect();
    let width = places.iter().map(|(x, _)| x + WIDTH + 20).max().unwrap_or(40);
    let height = places.iter().map(|(_, y)| y + HEIGHT + 20).max().unwrap_or(40);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n"
    );
    for edge in edges {
        let (x, y) = places[edge.from];
        let y = y + HEIGHT / 2;
        match edge.to {
            Some(to) => {
                let (to_x, to_y) = (places[to].0 + WIDTH, places[to].1 + HEIGHT / 2);
                let _ = writeln!(out, "  <line x1=\"{x}\" y1=\"{y}\" x2=\"{to_x}\" y2=\"{to_y}\" stroke=\"gray\"/>");
                let (middle_x, middle_y) = (x.midpoint(to_x), y.midpoint(to_y).saturating_sub(4));
                let text = escaped(&edge.contract);
                let _ = writeln!(
                    out,
                    "  <text x=\"{middle_x}\" y=\"{middle_y}\" text-anchor=\"middle\" font-size=\"10\">{text}</text>"
                );
            }
            None => {
                let text = escaped(&format!("no {}", edge.contract));
                let _ = writeln!(out, "  <text x=\"{x}\" y=\"{}\" fill=\"red\" font-size=\"10\">{text}</text>", y + 34);
            }
        }
    }
    for (node, (x, y)) in nodes.iter().zip(&places) {
        let stroke = if node.fault.is_some() { "red" } else { "black" };
        let _ = writeln!(
            out,
            "  <rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"5\" fill=\"white\" stroke=\"{stroke}\"/>"
        );
        let text = escaped(&format!("{} {}", node.name, node.version));
        let (x, y) = (x + WIDTH / 2, y + HEIGHT / 2 + 5);
        let _ = writeln!(out, "  <text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
    }
    out + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
