use polyplug::Runtime;

#[derive(polyplug::Type)]
pub struct Point {
    pub x: usize,
}

#[derive(polyplug::Type)]
pub struct Line {
    pub points: Vec<Point>,
}

#[polyplug::contract(name = "demo.geometry", version = "1.0")]
pub trait Geometry {
    fn length(&self, line: &Line) -> f64;
    fn start(&self, line: Line) -> Option<Point>;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let geometry: GeometryProxy = Runtime::builder().build()?.proxy::<dyn Geometry>()?;
    geometry.length(&Line { points: Vec::new() })?;
    Ok(())
}
