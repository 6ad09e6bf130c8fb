//! The ways to name a bundle: by its id, by its name, or by its description.

use std::borrow::Cow;

use polyplug_abi::BundleId;

/// A bundle, named by its [`BundleId`], by its name, or by a [`BundleInfo`](crate::runtime::BundleInfo).
///
/// The functions of a runtime that act on a loaded bundle take any of these. An id is the hash of the name, so each
/// names the same bundle. The error of a bundle that is not loaded suggests the nearest loaded name if the caller gave a
/// name.
///
/// ```
/// use polyplug::{BundleId, BundleRef};
///
/// fn id(bundle: impl BundleRef) -> BundleId {
///     bundle.id()
/// }
/// assert_eq!(id("calc"), BundleId::new("calc"));
/// assert_eq!(id(BundleId::new("calc")), id(&"calc".to_owned()));
/// ```
///
/// No other types implement the trait.
pub trait BundleRef: sealed::Sealed {
    /// Returns the bundle's id.
    fn id(&self) -> BundleId;

    /// Returns the bundle's name if the caller gave one.
    fn name(&self) -> Option<&str> {
        None
    }
}

pub(crate) mod sealed {
    /// The trait that only the types of this crate can implement.
    pub trait Sealed {}
}

impl sealed::Sealed for BundleId {}

impl BundleRef for BundleId {
    fn id(&self) -> BundleId {
        *self
    }
}

impl sealed::Sealed for str {}

impl BundleRef for str {
    fn id(&self) -> BundleId {
        BundleId::new(self)
    }

    fn name(&self) -> Option<&str> {
        Some(self)
    }
}

impl sealed::Sealed for String {}

impl BundleRef for String {
    fn id(&self) -> BundleId {
        BundleId::new(self)
    }

    fn name(&self) -> Option<&str> {
        Some(self)
    }
}

impl sealed::Sealed for Cow<'_, str> {}

impl BundleRef for Cow<'_, str> {
    fn id(&self) -> BundleId {
        BundleId::new(self)
    }

    fn name(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: sealed::Sealed + ?Sized> sealed::Sealed for &T {}

impl<T: BundleRef + ?Sized> BundleRef for &T {
    fn id(&self) -> BundleId {
        (**self).id()
    }

    fn name(&self) -> Option<&str> {
        (**self).name()
    }
}

/// A bundle that a caller named, without the type in which the caller did.
///
/// The functions that take an `impl BundleRef` hand this on, so that their work is compiled once.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) id: BundleId,
    pub(crate) name: Option<&'a str>,
}

impl<'a> Named<'a> {
    pub(crate) fn of(bundle: &'a impl BundleRef) -> Self {
        Self { id: bundle.id(), name: bundle.name() }
    }
}

impl From<BundleId> for Named<'_> {
    fn from(id: BundleId) -> Self {
        Self { id, name: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bundle: impl BundleRef) -> (BundleId, Option<String>) {
        (bundle.id(), bundle.name().map(str::to_owned))
    }

    #[test]
    fn each_way_names_the_same_bundle() {
        let id = BundleId::new("calc");
        let (id_reference, name_reference) = (&id, &"calc");
        for (by_id, name) in [named(id), named(id_reference)] {
            assert_eq!((by_id, name), (id, None));
        }
        let owned = "calc".to_owned();
        for named in
            [named("calc"), named(name_reference), named(&owned), named(owned.clone()), named(Cow::from("calc"))]
        {
            assert_eq!(named, (id, Some("calc".to_owned())));
        }
    }
}
