use polyplug::Runtime;

pub struct Point {
    pub x: f64,
}

#[derive(polyplug::Type)]
pub enum Refusal {
    Far,
}

#[polyplug::contract(name = "demo.geometry", version = "1.0")]
pub trait Geometry {
    fn length(&self, to: Point) -> f64;
    fn scale(&self, point: &Point, by: f64) -> Point;
    fn all(&self, path: Vec<Point>) -> Option<Point>;
    fn first(&self, path: &[Point]) -> Result<Point, Refusal>;
    fn pair(&self, points: (Point, Box<Point>));
}

#[derive(Default)]
struct Plane;

#[polyplug::plugin]
impl Geometry for Plane {
    fn length(&self, to: Point) -> f64 {
        to.x
    }
    fn scale(&self, point: &Point, by: f64) -> Point {
        Point { x: point.x * by }
    }
    fn all(&self, _: Vec<Point>) -> Option<Point> {
        None
    }
    fn first(&self, _: &[Point]) -> Result<Point, Refusal> {
        Err(Refusal::Far)
    }
    fn pair(&self, _: (Point, Box<Point>)) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let geometry: GeometryProxy = Runtime::builder().build()?.proxy::<dyn Geometry>()?;
    geometry.length(Point { x: 1.0 })?;
    Ok(())
}
