//! The contracts of the plugins under test, of their host and of their peers.

/// A shop, which a plugin implements.
#[polyplug::contract(name = "demo.shop", version = "1.0")]
pub trait Shop {
    /// Returns the price of what is called `name`.
    fn price(&self, name: &str, currency: &str) -> Result<i64, PriceError>;
    /// Returns a thing with one more of it.
    fn add(&self, item: &Item) -> Item;
    /// Returns the area of a shape.
    fn area(&self, shape: &Shape) -> f64;
    /// Returns how often this instance was asked.
    fn count(&self) -> u32;
    /// Returns the setting `greeting`.
    fn greeting(&self) -> String;
    /// Never returns if `endless`.
    fn wait(&self, endless: bool);
}

/// A thing.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Item {
    /// The name.
    pub name: String,
    /// The number of pieces.
    pub amount: u32,
    /// Words about the thing.
    pub tags: Vec<String>,
}

/// A reason for no price.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum PriceError {
    /// There is no such thing.
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// There is no rate for the currency.
    NoRate,
}

/// A shape.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Shape {
    /// A rectangle.
    Rectangle {
        /// Its width.
        width: f64,
        /// Its height.
        height: f64,
    },
    /// Nothing.
    Nothing,
}

/// A journal, which the host implements.
#[polyplug::contract(name = "demo.journal", version = "1.0")]
pub trait Journal {
    /// Writes a line. Returns how many there are.
    fn write(&self, line: &str) -> Result<u32, String>;
    /// Returns the last line.
    fn last(&self) -> Option<String>;
}

/// A receiver of texts.
#[polyplug::contract(name = "demo.sink", version = "1.0")]
pub trait Sink {
    /// Takes a text. Returns whether more are wanted.
    fn put(&self, text: &str) -> bool;
}

/// A source of texts, which the host implements.
#[polyplug::contract(name = "demo.feed", version = "1.0")]
pub trait Feed {
    /// Gives all texts to a receiver. Returns their number.
    fn each(&self, sink: &dyn Sink) -> u32;
}

/// A reader of texts, which a plugin implements.
#[polyplug::contract(name = "demo.reader", version = "1.0")]
pub trait Reader {
    /// Returns the texts of the host's feed.
    fn read(&self) -> Vec<String>;
}

/// The greeter of the page on tests.
#[polyplug::contract(name = "demo.greeter", version = "1.0")]
pub trait Greeter {
    /// Greets somebody.
    fn greet(&self, name: &str) -> Result<String, GreetError>;
}

/// A reason for no greeting.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub enum GreetError {
    /// The name is empty.
    Nameless,
}

/// The logger of the page on tests.
#[polyplug::contract(name = "demo.logger", version = "1.0")]
pub trait Logger {
    /// Writes a line.
    fn log(&self, line: &str);
}

/// The clock of the page on tests.
#[polyplug::contract(name = "demo.clock", version = "1.0")]
pub trait Clock {
    /// Returns the hour.
    fn hour(&self) -> u32;
}

/// Rates, which another bundle implements.
#[polyplug::contract(name = "demo.rates", version = "1.0")]
pub trait Rates {
    /// Returns the rate of a currency.
    fn rate(&self, currency: &str) -> Option<i64>;
}
