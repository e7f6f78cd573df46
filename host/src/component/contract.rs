//! Compares a component's imports and exports with the contract, and describes each difference in
//! words.

use wasmtime::{
    Engine,
    component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type},
};

type ComponentType = wasmtime::component::types::Component;

/// The package of the contract.
const PACKAGE: &str = "holdfast:inventory/";

/// The differences between a candidate and a component that fits the contract; empty where the
/// candidate fits too.
pub(super) fn differences(
    engine: &Engine,
    candidate: &ComponentType,
    fitting: &ComponentType,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, item) in candidate.imports(engine) {
        if !name.starts_with(PACKAGE) {
            continue;
        }
        let served = fitting.imports(engine).find(|(served, _)| *served == name);
        match (item.ty, served.map(|(_, item)| item.ty)) {
            (
                ComponentItem::ComponentInstance(own),
                Some(ComponentItem::ComponentInstance(served)),
            ) => {
                found.extend(imported(engine, name, &own, &served));
            }
            _ => {
                let served: Vec<_> = of_package(fitting.imports(engine).map(|(name, _)| name));
                found.push(format!("it imports {name}; this host serves {}", served.join(", ")));
            }
        }
    }
    for (name, item) in fitting.exports(engine) {
        let ComponentItem::ComponentInstance(wanted) = item.ty else { continue };
        let own = candidate.exports(engine).find(|(own, _)| *own == name);
        match own.map(|(_, item)| item.ty) {
            Some(ComponentItem::ComponentInstance(own)) => {
                found.extend(exported(engine, name, &own, &wanted));
            }
            _ => {
                let own: Vec<_> = candidate.exports(engine).map(|(name, _)| name).collect();
                let own = if own.is_empty() { "nothing".to_owned() } else { own.join(", ") };
                found.push(format!("it exports {own}; expected is {name}"));
            }
        }
    }
    found
}

/// The names of the contract's own package.
fn of_package<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.filter(|name| name.starts_with(PACKAGE)).collect()
}

/// The differences of an imported interface: the host must serve each function that the component
/// imports, with the same type.
fn imported(
    engine: &Engine,
    interface: &str,
    own: &ComponentInstance,
    served: &ComponentInstance,
) -> Vec<String> {
    functions(engine, own)
        .filter_map(|(name, wanted)| {
            let place = format!("{interface} {name}");
            match function(engine, served, &name) {
                None => Some(format!("it calls {place}, which the contract does not have")),
                Some(have) => mismatch_of(&wanted, &have).map(|how| format!("{place}: {how}")),
            }
        })
        .collect()
}

/// The differences of an exported interface: the component must export each function that the host
/// calls, with the same type.
fn exported(
    engine: &Engine,
    interface: &str,
    own: &ComponentInstance,
    wanted: &ComponentInstance,
) -> Vec<String> {
    functions(engine, wanted)
        .filter_map(|(name, wanted)| {
            let place = format!("{interface} {name}");
            match function(engine, own, &name) {
                None => Some(format!("it does not export {place}")),
                Some(have) => mismatch_of(&have, &wanted).map(|how| format!("{place}: {how}")),
            }
        })
        .collect()
}

fn functions<'a>(
    engine: &'a Engine,
    instance: &'a ComponentInstance,
) -> impl Iterator<Item = (String, ComponentFunc)> + 'a {
    instance.exports(engine).filter_map(|(name, item)| match item.ty {
        ComponentItem::ComponentFunc(function) => Some((name.to_owned(), function)),
        _ => None,
    })
}

fn function(engine: &Engine, instance: &ComponentInstance, name: &str) -> Option<ComponentFunc> {
    functions(engine, instance).find(|(own, _)| own == name).map(|(_, function)| function)
}

/// Describes the first difference between a function and the expected one; `None` where there is
/// none.
fn mismatch_of(own: &ComponentFunc, expected: &ComponentFunc) -> Option<String> {
    let (count, wanted) = (own.params().len(), expected.params().len());
    if count != wanted {
        return Some(format!("it has {count} parameters, expected are {wanted}"));
    }
    let parameters = own.params().zip(expected.params());
    let of_parameter = parameters.into_iter().find_map(|((name, own), (_, expected))| {
        Some(format!("parameter {name}: {}", mismatch(&own, &expected)?))
    });
    of_parameter.or_else(|| {
        let results = own.results().zip(expected.results());
        let of_result = results.into_iter().find_map(|(own, expected)| mismatch(&own, &expected));
        let missing = own.results().len() != expected.results().len();
        of_result
            .map(|how| format!("result: {how}"))
            .or_else(|| missing.then(|| "it has another number of results".to_owned()))
    })
}

/// Describes the first difference between a type and the expected one; `None` where there is none.
fn mismatch(own: &Type, expected: &Type) -> Option<String> {
    if own == expected {
        return None;
    }
    let within = match (own, expected) {
        (Type::Record(own), Type::Record(expected)) => {
            let own = own.fields().map(|field| (field.name.to_owned(), Some(field.ty)));
            let expected = expected.fields().map(|field| (field.name.to_owned(), Some(field.ty)));
            members("field", own.collect(), expected.collect())
        }
        (Type::Variant(own), Type::Variant(expected)) => {
            let own = own.cases().map(|case| (case.name.to_owned(), case.ty));
            let expected = expected.cases().map(|case| (case.name.to_owned(), case.ty));
            members("case", own.collect(), expected.collect())
        }
        (Type::Enum(own), Type::Enum(expected)) => {
            let own = own.names().map(|name| (name.to_owned(), None));
            let expected = expected.names().map(|name| (name.to_owned(), None));
            members("case", own.collect(), expected.collect())
        }
        (Type::List(own), Type::List(expected)) => mismatch(&own.ty(), &expected.ty()),
        (Type::Option(own), Type::Option(expected)) => mismatch(&own.ty(), &expected.ty()),
        (Type::Result(own), Type::Result(expected)) => {
            let side = |own: Option<Type>, expected: Option<Type>| mismatch(&own?, &expected?);
            side(own.ok(), expected.ok()).or_else(|| side(own.err(), expected.err()))
        }
        _ => None,
    };
    let kinds = || format!("it is {}, expected is {}", kind(own), kind(expected));
    Some(within.unwrap_or_else(kinds))
}

/// A field of a record or a case of a variant, and its type where it has one.
type TypeMember = (String, Option<Type>);

/// Describes the first difference between the members of two types. `what` names the members.
fn members(what: &str, own: Vec<TypeMember>, expected: Vec<TypeMember>) -> Option<String> {
    let has = |list: &[TypeMember], name: &str| list.iter().any(|(own, _)| own == name);
    if let Some((name, _)) = expected.iter().find(|(name, _)| !has(&own, name)) {
        return Some(format!("it lacks the {what} {name}"));
    }
    if let Some((name, _)) = own.iter().find(|(name, _)| !has(&expected, name)) {
        return Some(format!("it has a {what} {name}, which the contract does not have"));
    }
    own.iter().zip(&expected).find_map(|((name, own), (wanted, expected))| {
        if name != wanted {
            return Some(format!("its {what} {name} is where {wanted} is expected"));
        }
        let how = match (own, expected) {
            (Some(own), Some(expected)) => mismatch(own, expected)?,
            (None, None) => return None,
            _ => "one has a value and the other has none".to_owned(),
        };
        Some(format!("{what} {name}: {how}"))
    })
}

/// The kind of a type, in words.
fn kind(of: &Type) -> String {
    match of {
        Type::Bool => "bool".to_owned(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => format!("{of:?}").to_lowercase(),
        Type::S8 | Type::S16 | Type::S32 | Type::S64 => format!("{of:?}").to_lowercase(),
        Type::Char | Type::String => format!("{of:?}").to_lowercase(),
        Type::List(list) => format!("a list of {}", kind(&list.ty())),
        Type::Option(option) => format!("an option of {}", kind(&option.ty())),
        Type::Record(_) => "a record".to_owned(),
        Type::Variant(_) => "a variant".to_owned(),
        Type::Enum(_) => "an enum".to_owned(),
        Type::Result(_) => "a result".to_owned(),
        _ => "a type that the contract does not use".to_owned(),
    }
}
