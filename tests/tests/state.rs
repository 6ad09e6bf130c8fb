//! State that is saved as a value of a type, and read by older and newer versions of the type.

use std::collections::BTreeMap;

use polyplug::state::{restore, save};

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Mood {
    Calm,
    #[contract(other)]
    Strange,
    Wild,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Shape {
    Dot,
    Circle { radius: f64 },
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Whole {
    id: u64,
    names: Vec<String>,
    moods: BTreeMap<String, Option<Mood>>,
    shapes: (Shape, Result<Shape, i8>),
    below: Option<Box<Whole>>,
    bytes: Vec<u8>,
}

fn whole() -> Whole {
    let below = Whole {
        id: 1,
        names: vec![],
        moods: BTreeMap::new(),
        shapes: (Shape::Dot, Err(-1)),
        below: None,
        bytes: vec![],
    };
    Whole {
        id: u64::MAX,
        names: vec!["a".to_owned(), String::new(), "ü".to_owned()],
        moods: [("x".to_owned(), Some(Mood::Wild)), ("y".to_owned(), None)].into(),
        shapes: (Shape::Circle { radius: -0.5 }, Ok(Shape::Dot)),
        below: Some(Box::new(below)),
        bytes: vec![0, 1, 255],
    }
}

#[test]
fn a_value_comes_back() {
    assert_eq!(restore(&save(&whole())), Ok(whole()));
    assert_eq!(restore(&save(&7u8)), Ok(7u8));
    assert_eq!(restore(&save(&())), Ok(()));
    let large = vec![5u8; 3 << 20];
    assert_eq!(restore(&save(&large)), Ok(large));
}

#[test]
fn an_older_and_a_newer_version_of_a_type_read_each_other() {
    #[derive(Debug, PartialEq, polyplug::Type)]
    enum Mood {
        Calm,
        #[contract(other)]
        Strange,
    }

    #[derive(Debug, PartialEq, polyplug::Type)]
    struct Old {
        id: u64,
        moods: BTreeMap<String, Option<Mood>>,
    }

    let old = Old { id: 4, moods: [("x".to_owned(), Some(Mood::Calm))].into() };
    let error = restore::<Whole>(&save(&old)).unwrap_err().to_string();
    assert!(error.contains("Whole`: the field `names` is missing, and has no default"), "{error}");
    let moods = [("x".to_owned(), Some(Mood::Strange)), ("y".to_owned(), None)].into();
    assert_eq!(restore(&save(&whole())), Ok(Old { id: u64::MAX, moods }));

    #[derive(Debug, PartialEq, polyplug::Type)]
    struct New {
        moods: BTreeMap<String, Option<Mood>>,
        id: u64,
        #[contract(since = "1.1", default = vec![9])]
        added: Vec<i32>,
    }
    let moods = [("x".to_owned(), Some(Mood::Calm))].into();
    assert_eq!(restore(&save(&old)), Ok(New { added: vec![9], moods, id: 4 }));
}

#[test]
fn what_is_no_state_of_the_type_is_refused() {
    #[track_caller]
    fn refused<T: polyplug::Type + std::fmt::Debug>(state: &[u8], words: &str) {
        let error = restore::<T>(state).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    refused::<u32>(b"", "do not begin like those of a saved value");
    refused::<u32>(b"something else that is long enough", "do not begin like those of a saved value");
    refused::<u32>(&save(&7u64), "it is a u64, and not u32");
    refused::<Shape>(&save(&Mood::Calm), "`Calm` is no case, only Dot, Circle");
    refused::<Shape>(&save(&Some(Shape::Dot)), "it is a");
    refused::<Vec<Whole>>(&save(&vec![Shape::Dot]), "[0]: ");
    let whole = save(&whole());
    for len in 0..whole.len() {
        assert!(restore::<Whole>(&whole[..len]).is_err(), "{len} bytes");
    }
    let longer = [&whole[..], &[0]].concat();
    refused::<Whole>(&longer, "1 bytes are left over");
}
