//! JSON objects with known members: the trait [`Object`], and the macro [`object!`] that makes a
//! type with its parser and its schema of one declaration.

use super::{
    schema::Property,
    value::{Reader, Schemas, Seed, Value},
};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// An object whose members are known. Members that are unknown or given twice are refused.
pub(in crate::http) trait Object: Sized {
    /// What has been read of each member.
    type Slots: Default;

    /// Reads a member. Returns whether the object has a member of this name; where it has none,
    /// the value has not been read.
    ///
    /// # Errors
    /// The source is no JSON.
    fn member<'de, A: MapAccess<'de>>(
        slots: &mut Self::Slots,
        name: &str,
        members: &mut A,
        reader: &mut Reader<'_>,
    ) -> Result<bool, A::Error>;

    /// The object, once all members have been read. Refuses members that are required and absent.
    fn finish(slots: Self::Slots, reader: &mut Reader<'_>) -> Option<Self>;

    /// The members, for the document.
    fn properties() -> Vec<Property>;

    /// Adds the schemas of the objects that the members refer to.
    fn named(schemas: &mut Schemas);
}

/// What has been read of a member.
#[derive(Default)]
pub(in crate::http) enum Slot<T> {
    #[default]
    Absent,
    Refused,
    Read(T),
}

impl<T: Value> Slot<T> {
    /// Reads the member.
    pub(in crate::http) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        members: &mut A,
        mut reader: Reader<'_>,
    ) -> Result<(), A::Error> {
        if !matches!(self, Self::Absent) {
            reader.refuse("is given more than once");
            members.next_value::<IgnoredAny>()?;
            return Ok(());
        }
        *self = members.next_value_seed(Seed::new(reader))?.map_or(Self::Refused, Self::Read);
        Ok(())
    }

    /// The member's value. Refuses the absence of a required member.
    pub(in crate::http) fn take(self, mut reader: Reader<'_>) -> Option<T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Refused => None,
            Self::Absent => {
                let value = T::absent();
                if value.is_none() {
                    reader.refuse("is required");
                }
                value
            }
        }
    }
}

/// Reads an object.
pub(in crate::http) fn read<'de, T: Object, D: Deserializer<'de>>(
    source: D,
    reader: &mut Reader<'_>,
) -> Result<Option<T>, D::Error> {
    source.deserialize_any(ObjectVisitor(reader, PhantomData))
}

struct ObjectVisitor<'r, 'a, T>(&'r mut Reader<'a>, PhantomData<T>);

impl<T> ObjectVisitor<'_, '_, T> {
    fn refuse<E>(self, kind: &str) -> Result<Option<T>, E> {
        self.0.refuse(format_args!("must be an object, is {kind}"));
        Ok(None)
    }
}

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<'_, '_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<T>, A::Error> {
        let mut slots = T::Slots::default();
        while let Some(name) = members.next_key_seed(Name)? {
            if !T::member(&mut slots, &name, &mut members, self.0)? {
                self.0.member(&name).refuse_unknown();
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(T::finish(slots, self.0))
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        self.refuse("null")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        self.refuse("a boolean")
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        self.refuse("a number")
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        self.refuse("a number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        self.refuse("a number")
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        self.refuse("a string")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<T>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.refuse("an array")
    }
}

/// Reads the name of a member, without a copy where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Cow<'de, str>, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Declares an object: a type whose fields are valid values, its parser, and its schema. The
/// comments become the schema's descriptions.
macro_rules! object {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $renamed:literal) => { $renamed };
    (
        $(#[doc = $about:literal])+
        $(#[example($($example:tt)+)])?
        $visibility:vis struct $name:ident {
            $($(#[doc = $doc:literal])* $field:ident $(as $renamed:literal)?: $type:ty,)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        $visibility struct $name {
            $($(#[doc = $doc])* pub(in crate::http) $field: $type,)*
        }

        const _: () = {
            #[allow(unused_imports, reason = "an object without members")]
            use $crate::http::body::{Object, Property, Reader, Schemas, Slot, Value, schema};

            #[derive(Default)]
            #[allow(clippy::empty_structs_with_brackets, reason = "an object without members")]
            #[allow(unreachable_pub, reason = "the trait's associated type")]
            pub struct Slots {
                $($field: Slot<$type>,)*
            }

            #[allow(unused_variables, reason = "an object without members")]
            impl Object for $name {
                type Slots = Slots;

                fn member<'de, A: serde::de::MapAccess<'de>>(
                    slots: &mut Slots,
                    name: &str,
                    members: &mut A,
                    reader: &mut Reader<'_>,
                ) -> Result<bool, A::Error> {
                    match name {
                        $($crate::http::body::object!(@name $field $($renamed)?) => {
                            slots.$field.read(members, reader.member(name))?;
                        })*
                        _ => return Ok(false),
                    }
                    #[allow(unreachable_code, reason = "an object without members")]
                    Ok(true)
                }

                fn finish(slots: Slots, reader: &mut Reader<'_>) -> Option<Self> {
                    $(let $field = slots.$field.take(
                        reader.member($crate::http::body::object!(@name $field $($renamed)?)),
                    );)*
                    Some(Self { $($field: $field?,)* })
                }

                fn properties() -> Vec<Property> {
                    vec![$(Property::of::<$type>(
                        $crate::http::body::object!(@name $field $($renamed)?), &[$($doc),*],
                    ),)*]
                }

                fn named(schemas: &mut Schemas) {
                    $(<$type as Value>::named(schemas);)*
                }
            }

            impl Value for $name {
                fn read<'de, D: serde::Deserializer<'de>>(
                    source: D,
                    reader: &mut Reader<'_>,
                ) -> Result<Option<Self>, D::Error> {
                    $crate::http::body::read_object(source, reader)
                }

                fn schema() -> $crate::http::body::Schema {
                    schema::reference(stringify!($name))
                }

                fn named(schemas: &mut Schemas) {
                    schemas.push((stringify!($name).to_owned(), whole()));
                    <Self as Object>::named(schemas);
                }
            }

            fn whole() -> $crate::http::body::Schema {
                let example = None$(.or(Some(serde_json::json!($($example)+))))?;
                schema::object($name::properties(), &[$($about),+], example)
            }

            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    $crate::http::body::schema::described(whole())
                }
            }

            impl utoipa::ToSchema for $name {
                fn schemas(
                    named: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
                ) {
                    let mut schemas = Schemas::new();
                    <Self as Object>::named(&mut schemas);
                    named.extend(schemas.into_iter().map(|(name, schema)| {
                        (name, $crate::http::body::schema::described(schema))
                    }));
                }
            }
        };
    };
}
pub(in crate::http) use object;
