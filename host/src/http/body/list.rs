//! Arrays of bounded length.

use super::{
    any::{self, Handler},
    scalar::Scalar,
    value::{Reader, Schema, Schemas, Seed, Value},
};
use serde::de::{Deserializer, IgnoredAny, SeqAccess};
use serde_json::json;
use std::marker::PhantomData;

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

/// The items of an array that was read.
pub(in crate::http) struct Items<T> {
    /// The items; `None` where one of them was refused.
    pub(in crate::http) read: Option<Vec<T>>,
    /// The number of items in the array, including those beyond the bound, which were skipped.
    pub(in crate::http) given: usize,
}

/// Reads the first `most` items of an array and counts all of them. Returns `None` where the value
/// is not an array, which is refused.
pub(in crate::http) fn items<'de, T: Value, D: Deserializer<'de>>(
    source: D,
    most: usize,
    reader: &mut Reader<'_>,
) -> Result<Option<Items<T>>, D::Error> {
    any::read(source, ItemsHandler { most, reader, item: PhantomData })
}

struct ItemsHandler<'r, 'a, T> {
    most: usize,
    reader: &'r mut Reader<'a>,
    item: PhantomData<T>,
}

impl<'de, T: Value> Handler<'de> for ItemsHandler<'_, '_, T> {
    type Output = Option<Items<T>>;

    fn scalar(self, value: Scalar<'de>) -> Self::Output {
        self.reader.refuse(format_args!("must be an array, is {}", value.shown()));
        None
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Output, A::Error> {
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
}
