//! `/v1/batch`: many commands in one request, with the bodies of single requests.

use super::{
    AdjustBody, Asked, CancelBody, Command, ConfirmBody, ExtendBody, FulfillBody, HoldBody,
    ReleaseBody, ReplaceBody, ReserveBody, SetBody, TransferBody,
    answer::Subject,
    incoming::{Incoming, Terms, carry_out},
};
use crate::{
    engine::Work,
    http::{
        App,
        body::{
            COMMANDS_MAX, Object, Property, Reader, Schema, Schemas, Slot, Tree, Value, Version,
            items, object, read_object, schema, words,
        },
        input::{self, NoTarget},
        problem::Problem,
    },
    model::Precondition,
};
use axum::{extract::State, response::Response};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, MapAccess, value::Error};
use serde_json::json;

object! {
    /// Commands, carried out in order.
    #[example({
        "mode": "atomic",
        "commands": [
            {"type": "reserve", "product_id": "sku-1", "quantity": 2},
            {"type": "adjust", "product_id": "sku-2", "delta": -1, "reason": "damaged"},
            {"type": "hold", "lines": [{"product_id": "sku-3", "quantity": 1}], "ttl_seconds": 600}
        ]
    })]
    pub(in crate::http) struct BatchBody {
        /// `atomic`: all commands are accepted or none is, and each sees the effects of those
        /// before it. `independent`: each command stands for itself.
        mode: BatchMode,
        /// The commands: each has a `type`, the members of the single request of that type, the
        /// product or the reservation that the path of the single request names, and perhaps
        /// `if_version` in place of `If-Match`.
        commands: Commands,
    }
}

/// Whether the commands of a batch stand or fall together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum BatchMode {
    Atomic,
    Independent,
}

words! { BatchMode as "BatchMode"; "atomic" => Self::Atomic, "independent" => Self::Independent }

/// The commands of a batch, 1 to 1,000.
#[derive(Debug)]
pub(in crate::http) struct Commands(Vec<BatchCommand>);

impl Value for Commands {
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error> {
        let Some(items) = items(source, COMMANDS_MAX, reader)? else { return Ok(None) };
        if items.given == 0 {
            reader.refuse(format_args!("must have 1 to {COMMANDS_MAX} items, has 0"));
        } else if items.given > COMMANDS_MAX {
            reader.too_many_commands(items.given);
        } else {
            return Ok(items.read.map(Self));
        }
        Ok(None)
    }

    fn schema() -> Schema {
        json!({"type": "array", "items": schema::reference("BatchCommand"), "minItems": 1,
            "maxItems": COMMANDS_MAX})
    }

    fn named(schemas: &mut Schemas) {
        let name = |kind: &Kind| format!("{}Command", capitalized(kind.name));
        let references: Vec<_> = KINDS.iter().map(|kind| schema::reference(&name(kind))).collect();
        let mapping: serde_json::Map<_, _> = KINDS
            .iter()
            .map(|kind| {
                let place = format!("#/components/schemas/{}", name(kind));
                (kind.name.to_owned(), place.into())
            })
            .collect();
        let command = json!({
            "description": "A command of a batch.",
            "oneOf": references,
            "discriminator": {"propertyName": "type", "mapping": mapping},
        });
        schemas.push(("BatchCommand".to_owned(), command));
        for kind in &KINDS {
            let about = format!("The command `{}` in a batch.", kind.name);
            let object = schema::object((kind.properties)(), &[&about], None);
            schemas.push((name(kind), object));
            (kind.named)(schemas);
        }
    }
}

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

/// A command of a batch.
#[derive(Debug)]
pub(in crate::http) struct BatchCommand {
    asked: Asked,
    if_version: Option<Version>,
}

type Members = Vec<(String, Tree)>;

/// A type of command that a batch may have.
struct Kind {
    name: &'static str,
    read: fn(Members, &mut Reader<'_>) -> Option<BatchCommand>,
    properties: fn() -> Vec<Property>,
    named: fn(&mut Schemas),
}

impl Kind {
    const fn of<C: Command>() -> Self {
        Self {
            name: C::TYPE,
            read: |members, reader| {
                let source = IntoDeserializer::<Error>::into_deserializer(Tree::Object(members));
                // A value in memory is read without an error: violations are told to the reader.
                let read = read_object::<InBatch<C>, _>(source, reader).ok().flatten()?;
                Some(BatchCommand {
                    asked: read.body.ask(read.target),
                    if_version: read.if_version,
                })
            },
            properties: InBatch::<C>::properties,
            named: InBatch::<C>::named,
        }
    }
}

const KINDS: [Kind; 11] = [
    Kind::of::<SetBody>(),
    Kind::of::<AdjustBody>(),
    Kind::of::<ReserveBody>(),
    Kind::of::<ReleaseBody>(),
    Kind::of::<TransferBody>(),
    Kind::of::<HoldBody>(),
    Kind::of::<ReplaceBody>(),
    Kind::of::<ExtendBody>(),
    Kind::of::<ConfirmBody>(),
    Kind::of::<FulfillBody>(),
    Kind::of::<CancelBody>(),
];

impl Value for BatchCommand {
    fn read<'de, D: Deserializer<'de>>(
        source: D,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, D::Error> {
        let members = match Tree::deserialize(source)? {
            Tree::Object(members) => members,
            other => {
                reader.refuse(format_args!("must be an object, is {}", other.shown()));
                return Ok(None);
            }
        };
        let (types, members): (Members, Members) =
            members.into_iter().partition(|(name, _)| name == TYPE);
        let mut place = reader.member(TYPE);
        let name = match <[_; 1]>::try_from(types) {
            Ok([(_, Tree::Text(name))]) => name,
            Ok([(_, other)]) => {
                place.refuse(format_args!("must be a string, is {}", other.shown()));
                return Ok(None);
            }
            Err(types) if types.is_empty() => {
                place.refuse("is required");
                return Ok(None);
            }
            Err(_) => {
                place.refuse("is given more than once");
                return Ok(None);
            }
        };
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            let given: String = name.chars().take(NAME_CHARACTERS_SHOWN).collect();
            place.refuse(format_args!("must be {}, is {given:?}", names.join(" or ")));
            return Ok(None);
        };
        Ok((kind.read)(members, reader))
    }

    fn schema() -> Schema {
        schema::reference("BatchCommand")
    }
}

const TYPE: &str = "type";

/// How much of an unknown type a violation shows, in characters.
const NAME_CHARACTERS_SHOWN: usize = 256;

/// The members of a command in a batch but for its type: those of the single request's body, what
/// the path of the single request names, and the version that is demanded.
#[derive(Debug)]
struct InBatch<C: Command> {
    target: C::Target,
    if_version: Option<Version>,
    body: C,
}

struct InBatchSlots<C: Command> {
    target: <C::Target as Object>::Slots,
    if_version: Slot<Option<Version>>,
    body: C::Slots,
}

impl<C: Command> Default for InBatchSlots<C> {
    fn default() -> Self {
        let (target, body) = (Default::default(), Default::default());
        Self { target, if_version: Slot::default(), body }
    }
}

impl<C: Command> Object for InBatch<C> {
    type Slots = InBatchSlots<C>;

    fn member<'de, A: MapAccess<'de>>(
        slots: &mut InBatchSlots<C>,
        name: &str,
        members: &mut A,
        reader: &mut Reader<'_>,
    ) -> Result<bool, A::Error> {
        if name == "if_version" {
            slots.if_version.read(members, reader.member(name))?;
            return Ok(true);
        }
        Ok(C::Target::member(&mut slots.target, name, members, reader)?
            || C::member(&mut slots.body, name, members, reader)?)
    }

    fn finish(slots: InBatchSlots<C>, reader: &mut Reader<'_>) -> Option<Self> {
        let target = C::Target::finish(slots.target, reader);
        let if_version = slots.if_version.take(reader.member("if_version"));
        let body = C::finish(slots.body, reader);
        Some(Self { target: target?, if_version: if_version?, body: body? })
    }

    fn properties() -> Vec<Property> {
        let kind = json!({"type": "string", "enum": [C::TYPE]});
        let version = "The version that the stock or the reservation must have.";
        std::iter::once(Property { name: TYPE, required: true, schema: kind })
            .chain(C::Target::properties())
            .chain([Property::of::<Option<Version>>("if_version", &[version])])
            .chain(C::properties())
            .collect()
    }

    fn named(schemas: &mut Schemas) {
        <C as Object>::named(schemas);
    }
}

/// Handles a batch.
pub(in crate::http) async fn batch(
    State(app): State<App>,
    incoming: Incoming<NoTarget, BatchBody>,
) -> Result<Response, Problem> {
    let Incoming { body, terms, body_bytes, .. } = incoming;
    if terms.precondition.is_some() {
        let detail = "a batch has no version: give if_version with its commands";
        return Err(Problem::new("invalid-request", detail));
    }
    let (terms, subjects, work) = input::process_body(body_bytes, || prepared(body, terms)).await?;
    Ok(carry_out(&app, terms, Subject::Batch(subjects), work).await)
}

/// The commands of a batch for the engine, and the subjects of their answers.
fn prepared(body: BatchBody, terms: Terms) -> (Terms, Vec<Subject>, Work) {
    let commands = body.commands.0.into_iter().map(|command| {
        let version = command.if_version.map(|version| Precondition::VersionIn(vec![version.0]));
        command.asked.command(&terms.identity, version)
    });
    let (subjects, commands) = commands.unzip();
    let work = match body.mode {
        BatchMode::Atomic => Work::Together(commands),
        BatchMode::Independent => Work::Each(commands),
    };
    (terms, subjects, work)
}
