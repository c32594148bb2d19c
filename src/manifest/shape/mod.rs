//! Which fields an object has and what may stand in them.
//!
//! A [`Shape`] is what Kubernetes' Go types are to the API server: decoding
//! against it finds misspelt fields and wrong types, and leaves one canonical
//! form in which equal objects are equal values. Strategic merge patches read
//! the merge keys from the same tables.

macro_rules! shapes {
    ($($name:ident { $($field:ident : $shape:expr),* $(,)? })*) => {
        $(
            pub(in crate::manifest) static $name: $crate::manifest::shape::Members =
                $crate::manifest::shape::Members(&[$((stringify!($field), $shape)),*]);
        )*
    };
}
pub(in crate::manifest) use shapes;

pub(super) mod common;
mod decode;
pub(super) mod pod;
pub(super) mod volume;

pub(super) use decode::decode;

/// The fields of one type, in the order of its declaration.
pub(in crate::manifest) struct Members(pub &'static [(&'static str, Shape)]);

/// What may stand in a field.
#[derive(Clone, Copy)]
pub(in crate::manifest) enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A whole number or a string, as ports and percentages are.
    IntOrText,
    /// An amount such as `500m` or `1Gi`.
    Quantity,
    /// A moment in RFC 3339.
    Time,
    /// Anything, kept as it is.
    Any,
    /// An object that is always there; empty and absent are the same.
    Struct(&'static Members),
    /// An object that may be absent; absent and empty are different.
    Ptr(&'static Members),
    /// A value that may be absent; absent and zero are different.
    Opt(&'static Shape),
    /// A list that patches replace.
    List(&'static Shape),
    /// A list of plain values that patches add to.
    Set(&'static Shape),
    /// A list of objects that patches replace.
    Structs(&'static Members),
    /// A list of objects that patches merge by the named field.
    Keyed(&'static str, &'static Members),
    /// An object with any field names.
    Map(&'static Shape),
}

impl Members {
    /// The shape of a field.
    pub(in crate::manifest) fn get(&self, name: &str) -> Option<Shape> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
    }
}

impl Shape {
    /// The fields of the object here, or of each object in the list here.
    pub(in crate::manifest) const fn members(self) -> Option<&'static Members> {
        match self {
            Shape::Struct(m) | Shape::Ptr(m) | Shape::Structs(m) | Shape::Keyed(_, m) => Some(m),
            _ => None,
        }
    }

    /// Whether this is a list.
    pub(in crate::manifest) const fn is_list(self) -> bool {
        matches!(self, Shape::List(_) | Shape::Set(_) | Shape::Structs(_) | Shape::Keyed(..))
    }

    /// Whether the zero value says something that absence does not.
    const fn keeps_zero(self) -> bool {
        matches!(self, Shape::Opt(_) | Shape::Ptr(_) | Shape::IntOrText | Shape::Quantity | Shape::Any)
    }
}
