//! Contracts, types and plugins of any visibility, wherever an item may stand.

#![deny(warnings)]

mod inner {
    pub(crate) mod deep {
        #[polyplug::contract(name = "pass.places.deep", version = "1.0")]
        pub(in crate::inner) trait Hidden {
            fn one(&self, of: super::Shared) -> super::Shared;
        }

        #[polyplug::contract(name = "pass.places.crate", version = "1.0")]
        pub(crate) trait Shown {
            fn two(&self, of: &crate::inner::Shared) -> self::Own;
        }

        #[derive(polyplug::Type)]
        pub(crate) struct Own(pub(super) super::Shared, pub i32);
    }

    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub(crate) enum Shared {
        A,
        B(Vec<Shared>),
    }

    #[derive(Default)]
    struct Plugin;

    #[polyplug::plugin]
    impl deep::Hidden for Plugin {
        fn one(&self, of: Shared) -> Shared {
            Shared::B(vec![of])
        }
    }

    #[polyplug::plugin]
    impl crate::inner::deep::Shown for Plugin {
        fn two(&self, of: &Shared) -> deep::Own {
            deep::Own(of.clone(), 2)
        }
    }

    pub(crate) fn check(runtime: &polyplug::Runtime) {
        let hidden = runtime.proxy::<dyn deep::Hidden>().unwrap();
        assert_eq!(hidden.one(Shared::A).unwrap(), Shared::B(vec![Shared::A]));
        let shown = runtime.proxy::<dyn self::deep::Shown>().unwrap();
        let own = shown.two(&Shared::A).unwrap();
        assert_eq!((own.0, own.1), (Shared::A, 2));
    }
}

#[polyplug::contract(name = "pass.places.private", version = "1.0")]
trait Private {
    fn three(&self) -> Secret;
}

#[derive(Debug, PartialEq, polyplug::Type)]
struct Secret {
    value: u8,
}

#[cfg(any())]
#[polyplug::contract(name = "pass.places.absent", version = "1.0")]
trait Absent {
    fn never(&self) -> DoesNotExist;
}

#[polyplug::contract(name = "pass.places.absent", version = "1.0")]
#[cfg(any())]
trait AbsentAsWell {
    fn never(&self) -> DoesNotExist;
}

mod elsewhere {
    #[derive(Default)]
    pub struct Plugin;
}

#[polyplug::plugin(name = "renamed")]
impl Private for elsewhere::Plugin {
    fn three(&self) -> Secret {
        Secret { value: 3 }
    }
}

#[polyplug::plugin]
#[cfg(any())]
impl Private for DoesNotExist {}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();

    #[polyplug::contract(name = "pass.places.function", version = "1.0")]
    trait Local {
        fn four(&self, of: Option<Box<Wrapped>>) -> u64;
    }

    #[derive(polyplug::Type)]
    struct Wrapped {
        value: u64,
        next: Option<Box<Wrapped>>,
    }

    struct Plugin {
        base: u64,
    }

    fn make(_: &polyplug::PluginContext) -> Result<Plugin, std::convert::Infallible> {
        Ok(Plugin { base: 1 })
    }

    #[polyplug::plugin(create = make)]
    impl Local for Plugin {
        fn four(&self, of: Option<Box<Wrapped>>) -> u64 {
            let mut sum = self.base;
            let mut at = of;
            while let Some(wrapped) = at {
                sum += wrapped.value;
                at = wrapped.next;
            }
            sum
        }
    }

    runtime.load_linked_plugins().unwrap();
    inner::check(&runtime);
    assert_eq!(runtime.proxy::<dyn Private>().unwrap().three().unwrap(), Secret { value: 3 });
    let local: LocalProxy = runtime.proxy::<dyn Local>().unwrap();
    let chain = Wrapped { value: 1, next: Some(Box::new(Wrapped { value: 2, next: None })) };
    assert_eq!(local.four(Some(Box::new(chain))).unwrap(), 4);
    assert_eq!(local.four(None).unwrap(), 1);
}
