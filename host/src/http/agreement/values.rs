//! Values made of a schema: most have the form that the schema asks for and lie at its bounds, on
//! either side; some are anything.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    strategy::Union,
    string::string_regex,
};
use serde_json::{Map, Value, json};

/// Values of a schema of the document, some of them invalid.
pub(super) fn of(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    prop_oneof![40 => of_the_form(document, schema), 1 => anything()].boxed()
}

fn of_the_form(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    if let Some(name) = schema["$ref"].as_str() {
        return of(document, document.pointer(name.trim_start_matches('#')).unwrap());
    }
    if let Some(schemas) = schema["oneOf"].as_array() {
        return Union::new(schemas.iter().map(|it| of(document, it))).boxed();
    }
    if let Some(words) = schema["enum"].as_array() {
        return prop_oneof![9 => select(words.clone()), 1 => text(0, 8)].boxed();
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    Union::new(kinds.iter().map(|kind| of_the_kind(document, schema, kind.as_str().unwrap())))
        .boxed()
}

fn of_the_kind(document: &Value, schema: &Value, kind: &str) -> BoxedStrategy<Value> {
    match kind {
        "object" => object(document, schema),
        "array" => array(document, schema),
        "integer" => integer(schema),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "null" => Just(Value::Null).boxed(),
        "string" if schema["format"] == "date-time" => time(),
        "string" => {
            let bound = |name: &str, otherwise| schema[name].as_u64().unwrap_or(otherwise);
            let text = text(bound("minLength", 0), bound("maxLength", 64));
            match schema["pattern"].as_str() {
                Some(pattern) => prop_oneof![3 => text, 1 => of_the_pattern(pattern)].boxed(),
                None => text,
            }
        }
        other => panic!("no values are made of the type {other}"),
    }
}

fn object(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let members = schema["properties"].as_object().unwrap().iter().map(|(name, of_member)| {
        let share = if required.contains(&json!(name)) { 0.99 } else { 0.4 };
        let member = proptest::option::weighted(share, of(document, of_member));
        (Just(name.clone()), member).boxed()
    });
    let unknown = proptest::option::weighted(0.03, ("[a-z_]{1,12}", anything()));
    (members.collect::<Vec<_>>(), unknown)
        .prop_map(|(members, unknown)| {
            let members = members.into_iter().filter_map(|(name, member)| Some((name, member?)));
            Value::Object(members.chain(unknown).collect::<Map<_, _>>())
        })
        .boxed()
}

/// Arrays: most are short; one of the item that fills the array up to its bound, or beyond.
fn array(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let item = of(document, &schema["items"]);
    let most = usize::try_from(schema["maxItems"].as_u64().unwrap()).unwrap();
    let full = (item.clone(), most..=most + 1).prop_map(|(item, items)| vec![item; items]);
    prop_oneof![30 => vec(item.clone(), 1..4), 1 => vec(item, 0..1), 1 => full]
        .prop_map(Value::Array)
        .boxed()
}

/// Integers around the bounds and between them, and numbers that are no integers. Whole numbers
/// are also written with a fraction or an exponent.
fn integer(schema: &Value) -> BoxedStrategy<Value> {
    let bound = |name: &str| {
        let bound = &schema[name];
        bound.as_i64().map(i128::from).or(bound.as_u64().map(i128::from)).unwrap()
    };
    let (least, most) = (bound("minimum"), bound("maximum"));
    let around = select(vec![least - 1, least, least + 1, most - 1, most, most + 1]);
    let between = (least..=most).boxed();
    let small = (least..=most.min(least + 1_000)).boxed();
    let number = prop_oneof![2 => around, 3 => between, 3 => small];
    #[allow(clippy::cast_precision_loss, reason = "any number near it is as good")]
    let float = |number: i128| Value::from(number as f64);
    let exact = move |number: i128| {
        let integer = i64::try_from(number).map(Value::from);
        integer.or_else(|_| u64::try_from(number).map(Value::from)).unwrap_or(float(number))
    };
    // Beyond 2^53 a float may be on the other side of a bound from the integer that it stands for.
    let whole = (least.max(-1 << 53)..=most.min(1 << 53)).prop_map(float);
    prop_oneof![
        16 => number.prop_map(exact),
        2 => whole,
        1 => any::<f64>().prop_filter("JSON has it", |it| it.is_finite()).prop_map(Value::from),
    ]
    .boxed()
}

/// Texts of lengths at the bounds and between, most of them of printable ASCII characters.
fn text(least: u64, most: u64) -> BoxedStrategy<Value> {
    let length = prop_oneof![
        8 => least.max(1)..=most.clamp(1, 12),
        1 => most..=most + 1,
        1 => Just(least.saturating_sub(1)),
    ];
    let character = prop_oneof![
        300 => proptest::char::range('!', '~'),
        1 => select(vec![' ', '\t', '\n', '\u{0}', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}', '\u{a0}']),
        1 => select(vec!['ä', '€', '😀', '\u{feff}', '\u{2028}', '~', '!', '.', '/', '%']),
        1 => any::<char>(),
    ];
    // A long text repeats a few characters: making each of its characters would take long.
    (length, vec(character, 1..8), any::<Index>())
        .prop_map(|(length, characters, first)| {
            let first = first.index(characters.len());
            let text = characters.iter().cycle().skip(first);
            Value::String(text.take(usize::try_from(length).unwrap()).collect())
        })
        .boxed()
}

fn of_the_pattern(pattern: &str) -> BoxedStrategy<Value> {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    string_regex(inner).unwrap().prop_map(Value::String).boxed()
}

fn time() -> BoxedStrategy<Value> {
    let times = [
        "2026-11-23T09:30:00Z",
        "2026-11-23T09:30:00.123456789Z",
        "2024-02-29T23:59:59.9Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-11-23T11:30:00+02:00",
        "2026-11-23T09:30:00.5-00:00",
        "2026-11-23t09:30:00z",
        "1969-12-31T23:59:59Z",
    ];
    let others = [
        "",
        "2026-11-23",
        "09:30:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-23T09:30:00Z+02:00",
        "2026-11-23T09:30:00ZZ",
        "2026-11-23T09:30:00.5+abcdZ",
        "2026-11-23T09:30:00",
    ];
    prop_oneof![3 => select(times.to_vec()), 1 => select(others.to_vec())]
        .prop_map(Value::from)
        .boxed()
}

/// Any value of JSON.
fn anything() -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 5 => scalar()]
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::Array),
                vec(("[a-z]{1,4}", inner), 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
        .boxed()
}

/// Any boolean, number or text.
pub(super) fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        Just(json!(0.5)),
        text(0, 4),
    ]
    .boxed()
}
