//! JSON objects with known members: the trait [`Object`], and the macro [`object!`] that makes a
//! type, its parser and its schema from one declaration.

use super::{
    any::{self, Handler},
    scalar::Scalar,
    schema::Property,
    value::{Reader, Schemas, Seed, Value},
};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A JSON object whose members are known. Members that are unknown or given twice are refused.
pub(in crate::http) trait Object: Sized {
    /// The members that were read so far, one [`Slot`] for each member of the object.
    type Slots: Default;

    /// Reads the value of the member `name` into its slot. Returns whether the object has such a
    /// member; where it has not, the value is not read.
    ///
    /// # Errors
    /// The source is not JSON.
    fn member<'de, A: MapAccess<'de>>(
        slots: &mut Self::Slots,
        name: &str,
        members: &mut A,
        reader: &mut Reader<'_>,
    ) -> Result<bool, A::Error>;

    /// Makes the object after all members were read. Refuses required members that are absent.
    fn finish(slots: Self::Slots, reader: &mut Reader<'_>) -> Option<Self>;

    /// Returns the descriptions of the members for the OpenAPI document.
    fn properties() -> Vec<Property>;

    /// Adds the schemas that the members refer to by name.
    fn named(schemas: &mut Schemas);
}

/// The value of one member while its object is being read.
#[derive(Default)]
pub(in crate::http) enum Slot<T> {
    #[default]
    /// The member was not given so far.
    Absent,
    /// The member was given, and its value was refused.
    Refused,
    /// The member was given, and its value is valid.
    Read(T),
}

impl<T: Value> Slot<T> {
    /// Reads the member's value. Refuses a member that is given a second time.
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

    /// Returns the member's value: where the member is absent, its default. Refuses the absence of
    /// a required member. Returns `None` where something was refused.
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

/// Reads an object. Returns `None` where something was refused.
pub(in crate::http) fn read<'de, T: Object, D: Deserializer<'de>>(
    source: D,
    reader: &mut Reader<'_>,
) -> Result<Option<T>, D::Error> {
    any::read(source, ObjectHandler(reader, PhantomData))
}

struct ObjectHandler<'r, 'a, T>(&'r mut Reader<'a>, PhantomData<T>);

impl<'de, T: Object> Handler<'de> for ObjectHandler<'_, '_, T> {
    type Output = Option<T>;

    fn scalar(self, value: Scalar<'de>) -> Option<T> {
        self.0.refuse(format_args!("must be an object, is {}", value.shown()));
        None
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<T>, A::Error> {
        let mut slots = T::Slots::default();
        while let Some(name) = members.next_key_seed(Name)? {
            if !T::member(&mut slots, &name, &mut members, self.0)? {
                self.0.member(&name).refuse_unknown();
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(T::finish(slots, self.0))
    }
}

/// Reads the name of a member. The name is copied only where it has escapes.
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

/// Declares an object: a struct whose fields are [`Value`]s, its parser, and its schema. The doc
/// comments become the descriptions in the schema.
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
            #[allow(unused_imports, reason = "not all are used by an object without members")]
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
