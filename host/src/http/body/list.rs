//! Arrays of bounded length.

use super::{
    scalar::Scalar,
    value::{Reader, Schema, Schemas, Seed, Value},
};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::json;
use std::{fmt, marker::PhantomData};

/// An array of 1 to `MOST` items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::http) struct List<T, const MOST: usize>(pub(in crate::http) Vec<T>);

impl<T: Value, const MOST: usize> Value for List<T, MOST> {
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error> {
        let Some(Items { read, given }) = items(source, MOST, reader)? else { return Ok(None) };
        if !(1..=MOST).contains(&given) {
            reader.refuse(format_args!("must have 1 to {MOST} items, has {given}"));
            return Ok(None);
        }
        Ok(read.map(Self))
    }

    fn schema() -> Schema {
        json!({"type": "array", "items": T::schema(), "minItems": 1, "maxItems": MOST})
    }

    fn named(schemas: &mut Schemas) {
        T::named(schemas);
    }
}

/// What has been read of an array.
pub(in crate::http) struct Items<T> {
    /// The items; `None` where one of them was refused.
    pub(in crate::http) read: Option<Vec<T>>,
    /// The number of items, also of those beyond the bound, which have not been read.
    pub(in crate::http) given: usize,
}

/// Reads the first `most` items of an array. Returns `None` where the source is no array.
pub(in crate::http) fn items<'de, T: Value, D: Deserializer<'de>>(
    source: D,
    most: usize,
    reader: &mut Reader<'_>,
) -> Result<Option<Items<T>>, D::Error> {
    source.deserialize_any(ItemsVisitor { most, reader, item: PhantomData })
}

struct ItemsVisitor<'r, 'a, T> {
    most: usize,
    reader: &'r mut Reader<'a>,
    item: PhantomData<T>,
}

impl<T> ItemsVisitor<'_, '_, T> {
    fn refuse<E>(self, scalar: &Scalar<'_>) -> Result<Option<Items<T>>, E> {
        self.reader.refuse(format_args!("must be an array, is {}", scalar.shown()));
        Ok(None)
    }
}

impl<'de, T: Value> Visitor<'de> for ItemsVisitor<'_, '_, T> {
    type Value = Option<Items<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut read = Some(Vec::with_capacity(items.size_hint().unwrap_or(0).min(self.most)));
        let mut given = 0;
        while given < self.most {
            let seed = Seed::<T>::new(self.reader.item(given));
            let Some(item) = items.next_element_seed(seed)? else {
                return Ok(Some(Items { read, given }));
            };
            given += 1;
            match (&mut read, item) {
                (Some(read), Some(item)) => read.push(item),
                _ => read = None,
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            given += 1;
        }
        Ok(Some(Items { read, given }))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.refuse(&Scalar::Object)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Integer(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Fraction(value))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        self.refuse(&Scalar::Text("".into()))
    }
}
