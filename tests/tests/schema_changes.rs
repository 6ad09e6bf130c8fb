//! The changes between two versions of a contract, and what each means for hosts and plugins that exist.

use polyplug::schema::{Change, Schema, Verdict, compare};
use polyplug::{Type, Value};
use test_contracts_growing::{v1_0, v1_1, v1_2, v1_3};

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

fn worst(changes: &[Change]) -> Verdict {
    changes.iter().map(|change| change.verdict).max().unwrap_or(Verdict::Compatible)
}

/// A contract that the tests change.
#[polyplug::contract(name = "test.orders", version = "1.2")]
trait Orders {
    /// Takes an order.
    fn place(&self, order: Order) -> Result<u64, Refusal>;
    /// Returns the state of an order.
    fn state(&self, number: u64) -> State;
    /// Returns all orders.
    fn all(&self) -> Vec<(u64, Option<Order>)>;
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Order {
    /// What is ordered.
    article: String,
    count: u32,
    #[contract(since = "1.1", default)]
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
enum State {
    Open,
    Sent,
}

#[derive(Debug, Clone, PartialEq, Type)]
enum Refusal {
    SoldOut,
    TooMany { most: u32 },
}

fn orders() -> Schema {
    Schema::of::<dyn Orders>()
}

/// Returns the changes that `change` makes to the contract, and checks that the load decides as they say.
#[track_caller]
fn changes(change: impl FnOnce(&mut Schema)) -> Vec<Change> {
    let (old, mut new) = (orders(), orders());
    change(&mut new);
    assert_eq!(Schema::decode(&new.encode()).as_ref(), Ok(&new), "the changed schema is one");
    let changes = compare(&old, &new);
    let hosts = changes.iter().any(|change| change.verdict.breaks_hosts());
    let plugins = changes.iter().any(|change| change.verdict.breaks_plugins());
    assert_eq!(hosts, !old.differences(&new).is_empty() || new.minor < old.minor, "{:?}", lines(&changes));
    assert_eq!(plugins, !new.differences(&old).is_empty(), "{:?}", lines(&changes));
    changes
}

fn fields<'a>(schema: &'a mut Schema, of: &str) -> &'a mut Vec<polyplug::schema::Field> {
    let definition = schema.types.iter_mut().find(|definition| definition.name == of).unwrap();
    let polyplug::schema::Shape::Record(fields) = &mut definition.shape else { panic!("a record") };
    fields
}

fn cases<'a>(schema: &'a mut Schema, of: &str) -> &'a mut Vec<polyplug::schema::Case> {
    use polyplug::schema::Shape;
    let definition = schema.types.iter_mut().find(|definition| definition.name == of).unwrap();
    let (Shape::Enum(cases) | Shape::Variant(cases)) = &mut definition.shape else { panic!("cases") };
    cases
}

#[test]
fn the_same_version_has_no_changes() {
    assert_eq!(compare(&orders(), &orders()), []);
}

#[test]
fn what_changes_freely_is_compatible() {
    let found = changes(|new| {
        new.docs = "Orders.".to_owned();
        new.methods[0].docs = String::new();
        new.methods[0].arguments[0].name = "wanted".to_owned();
        new.methods.swap(0, 1);
        fields(new, "Order")[2].default = Some(Value::Option(Some(Box::new(Value::String("none".to_owned())))));
        fields(new, "Order")[1].docs = "How many.".to_owned();
        cases(new, "State")[0].other = true;
        new.types[0].name = "Wanted".to_owned();
    });
    assert_eq!(worst(&found), Verdict::Compatible);
    insta::assert_snapshot!(lines(&found).join("\n"), @r#"
    test.orders: documentation: the documentation became another (compatible)
    state: result: State.Open: not read for unknown cases became read for unknown cases (compatible)
    place: documentation: the documentation was removed (compatible)
    place: argument `wanted`: the name `order` became the name `wanted` (compatible)
    place: argument `wanted`: Wanted: the name `Order` became the name `Wanted` (compatible)
    place: argument `wanted`: Wanted.count: documentation: the documentation was added (compatible)
    place: argument `wanted`: Wanted.note: the default Option(None) became the default Option(Some(String("none"))) (compatible)
    test.orders: the order of the methods: place, state, all became state, place, all (compatible)
    "#);
}

#[test]
fn what_grows_has_an_adapter() {
    let found = changes(|new| {
        new.minor = 3;
        let mut priority = fields(new, "Order")[1].clone().grown(3, Some(Value::U32(3)));
        priority.name = "priority".to_owned();
        fields(new, "Order").push(priority);
        cases(new, "State").push(polyplug::schema::Case::new("Cancelled", "", Vec::new()).grown(3, false));
        let mut cancel = new.methods[1].clone();
        (cancel.name, cancel.since) = ("cancel".to_owned(), 3);
        new.methods.push(cancel);
    });
    assert_eq!(worst(&found), Verdict::Adapted);
    insta::assert_snapshot!(lines(&found).join("\n"), @r#"
    place: argument `order`: Order.priority: u32 since 1.3 was added (compatible with an adapter)
    state: result: State.Cancelled: the case since 1.3 was added (compatible with an adapter)
    test.orders: version 1.2 became version 1.3 (compatible)
    cancel: the method cancel(number: u64) -> State since 1.3 was added (compatible)
    "#);
}

#[test]
fn what_breaks_says_whom() {
    let removed = changes(|new| drop(new.methods.remove(1)));
    insta::assert_snapshot!(lines(&removed).join("\n"), @r#"
    state: the method state(number: u64) -> State was removed (breaking for hosts)
    "#);
    let added = changes(|new| {
        let mut cancel = new.methods[1].clone();
        cancel.name = "cancel".to_owned();
        new.methods.push(cancel);
    });
    insta::assert_snapshot!(lines(&added).join("\n"), @r#"
    cancel: the method cancel(number: u64) -> State was added (breaking for plugins)
    "#);
    let widened = changes(|new| fields(new, "Order")[1].ty = polyplug::schema::TypeRef::U64);
    insta::assert_snapshot!(lines(&widened).join("\n"), @r#"
    place: argument `order`: Order.count: u32 became u64 (breaking for hosts and plugins)
    "#);
    let lower = changes(|new| new.minor = 1);
    insta::assert_snapshot!(lines(&lower).join("\n"), @r#"
    test.orders: version 1.2 became version 1.1 (breaking for hosts)
    "#);
    let renamed = changes(|new| {
        new.types[0].name = "Wanted".to_owned();
        fields(new, "Wanted")[0].name = "thing".to_owned();
        new.methods[0].arguments[0].name = "wanted".to_owned();
        cases(new, "State").remove(1);
    });
    insta::assert_snapshot!(lines(&renamed).join("\n"), @r#"
    place: argument `wanted`: Wanted: (article: string, count: u32, note: option<string>) became (thing: string, count: u32, note: option<string>) (breaking for hosts and plugins)
    state: result: State: the cases Open, Sent became Open (breaking for hosts and plugins)
    place: argument `wanted`: the name `order` became the name `wanted` (compatible)
    "#);
}

#[test]
fn another_major_is_another_contract() {
    let found = compare(&orders(), &Schema { major: 2, minor: 0, ..orders() });
    assert_eq!(worst(&found), Verdict::Breaks);
    assert_eq!(lines(&found)[0], "test.orders: test.orders@1 became test.orders@2 (breaking for hosts and plugins)");
}

#[test]
fn a_contract_that_grows_breaks_nobody() {
    let versions = [
        Schema::of::<dyn v1_0::Growing>(),
        Schema::of::<dyn v1_1::Growing>(),
        Schema::of::<dyn v1_2::Growing>(),
        Schema::of::<dyn v1_3::Growing>(),
    ];
    for (number, old) in versions.iter().enumerate() {
        for new in &versions[number + 1..] {
            let found = compare(old, new);
            assert_eq!(worst(&found), Verdict::Adapted, "{old} to {new}: {:?}", lines(&found));
        }
    }
    insta::assert_snapshot!(lines(&compare(&versions[2], &versions[3])).join("\n"), @r#"
    show: argument `item`: Item.place: Place since 1.3 was added (compatible with an adapter)
    show_tree: argument `tree`: Tree.twin: option<box<Tree>> since 1.3 was added (compatible with an adapter)
    show_mood: argument `mood`: Mood.Tired: the case since 1.3 was added (compatible with an adapter)
    show_colour: argument `colour`: Colour.Violet: the case since 1.3 was added (compatible with an adapter)
    show_shape: argument `shape`: Shape.Group: the case (0: list<Shape>) since 1.3 was added (compatible with an adapter)
    fail: result err: Trouble.Gone: the case since 1.3 was added (compatible with an adapter)
    test.growing: version 1.2 became version 1.3 (compatible)
    place_of: the method place_of(item: Item) -> Place since 1.3 was added (compatible)
    "#);
}
