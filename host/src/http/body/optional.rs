//! Members that may be absent.

use super::{
    schema::nullable,
    value::{Reader, Schema, Schemas, Value},
};
use serde::de::{Deserializer, Visitor};
use std::{fmt, marker::PhantomData};

/// A member that may be absent. An explicit null means the same.
impl<T: Value> Value for Option<T> {
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error> {
        source.deserialize_option(Nullable(reader, PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> Schema {
        nullable(T::schema())
    }

    fn named(schemas: &mut Schemas) {
        T::named(schemas);
    }
}

struct Nullable<'r, 'a, T>(&'r mut Reader<'a>, PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for Nullable<'_, '_, T> {
    type Value = Option<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Some(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        Ok(T::read(source, self.0)?.map(Some))
    }
}
