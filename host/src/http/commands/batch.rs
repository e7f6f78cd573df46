//! `/v1/batch`: up to 1,000 commands in one request. They have the same members as single requests.

use super::{
    ActionRequest, AdjustBody, CancelBody, Command, ConfirmBody, ExtendBody, FulfillBody, HoldBody,
    ReleaseBody, ReplaceBody, ReserveBody, SetBody, TransferBody,
    answer::AnswerKeys,
    incoming::{Incoming, Terms, execute},
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
        /// before it. `independent`: each command is accepted or refused on its own.
        mode: BatchMode,
        /// The commands. Each has a `type`, the members of the single request of that type, the id
        /// of the product or reservation that the path of the single request names, and optionally
        /// `if_version` in place of `If-Match`.
        commands: Commands,
    }
}

/// Whether the commands of a batch are accepted all or none, or each on its own.
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
        let name = |kind: &CommandType| format!("{}Command", capitalized(kind.name));
        let references: Vec<_> =
            COMMAND_TYPES.iter().map(|kind| schema::reference(&name(kind))).collect();
        let mapping: serde_json::Map<_, _> = COMMAND_TYPES
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
        for kind in &COMMAND_TYPES {
            let about = format!("The command `{}` in a batch.", kind.name);
            let object = schema::object((kind.properties)(), &[&about], None);
            schemas.push((name(kind), object));
            (kind.named)(schemas);
        }
    }
}

/// Returns a name with its first letter in upper case.
fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

/// A command of a batch.
#[derive(Debug)]
pub(in crate::http) struct BatchCommand {
    request: ActionRequest,
    if_version: Option<Version>,
}

/// The members of a JSON object.
type Members = Vec<(String, Tree)>;

/// A type of command in a batch: its name, its parser and its description.
struct CommandType {
    name: &'static str,
    read: fn(Members, &mut Reader<'_>) -> Option<BatchCommand>,
    properties: fn() -> Vec<Property>,
    named: fn(&mut Schemas),
}

impl CommandType {
    const fn of<C: Command>() -> Self {
        Self {
            name: C::TYPE,
            read: |members, reader| {
                let source = IntoDeserializer::<Error>::into_deserializer(Tree::Object(members));
                // Reading from memory cannot fail: the reader has the violations.
                let read = read_object::<BatchMembers<C>, _>(source, reader).ok().flatten()?;
                Some(BatchCommand {
                    request: read.body.into_request(read.target),
                    if_version: read.if_version,
                })
            },
            properties: BatchMembers::<C>::properties,
            named: BatchMembers::<C>::named,
        }
    }
}

const COMMAND_TYPES: [CommandType; 11] = [
    CommandType::of::<SetBody>(),
    CommandType::of::<AdjustBody>(),
    CommandType::of::<ReserveBody>(),
    CommandType::of::<ReleaseBody>(),
    CommandType::of::<TransferBody>(),
    CommandType::of::<HoldBody>(),
    CommandType::of::<ReplaceBody>(),
    CommandType::of::<ExtendBody>(),
    CommandType::of::<ConfirmBody>(),
    CommandType::of::<FulfillBody>(),
    CommandType::of::<CancelBody>(),
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
        let Some(kind) = COMMAND_TYPES.iter().find(|kind| kind.name == name) else {
            let names: Vec<_> = COMMAND_TYPES.iter().map(|kind| kind.name).collect();
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

/// The number of characters of an unknown type that a violation shows.
const NAME_CHARACTERS_SHOWN: usize = 256;

/// The members of a command in a batch without its type: the target, which the path of a single
/// request names, the version that is required, and the members of the single request's body.
#[derive(Debug)]
struct BatchMembers<C: Command> {
    target: C::Target,
    if_version: Option<Version>,
    body: C,
}

struct BatchMemberSlots<C: Command> {
    target: <C::Target as Object>::Slots,
    if_version: Slot<Option<Version>>,
    body: C::Slots,
}

impl<C: Command> Default for BatchMemberSlots<C> {
    fn default() -> Self {
        let (target, body) = (Default::default(), Default::default());
        Self { target, if_version: Slot::default(), body }
    }
}

impl<C: Command> Object for BatchMembers<C> {
    type Slots = BatchMemberSlots<C>;

    fn member<'de, A: MapAccess<'de>>(
        slots: &mut BatchMemberSlots<C>,
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

    fn finish(slots: BatchMemberSlots<C>, reader: &mut Reader<'_>) -> Option<Self> {
        let target = C::Target::finish(slots.target, reader);
        let if_version = slots.if_version.take(reader.member("if_version"));
        let body = C::finish(slots.body, reader);
        Some(Self { target: target?, if_version: if_version?, body: body? })
    }

    fn properties() -> Vec<Property> {
        let kind = json!({"type": "string", "enum": [C::TYPE]});
        let version = "The version that the stock or reservation must have.";
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

/// Handles a request for a batch.
pub(in crate::http) async fn batch(
    State(app): State<App>,
    incoming: Incoming<NoTarget, BatchBody>,
) -> Result<Response, Problem> {
    let Incoming { body, terms, body_bytes, .. } = incoming;
    if terms.precondition.is_some() {
        let detail =
            "a batch has no version: send if_version with its commands instead of a condition";
        return Err(Problem::new("invalid-request", detail));
    }
    let (terms, keys, work) = input::process_body(body_bytes, || prepare(body, terms)).await?;
    Ok(execute(&app, terms, AnswerKeys::Batch(keys), work).await)
}

/// Returns the commands of a batch for the engine, and the keys for their answers.
fn prepare(body: BatchBody, terms: Terms) -> (Terms, Vec<AnswerKeys>, Work) {
    let commands = body.commands.0.into_iter().map(|command| {
        let version = command.if_version.map(|version| Precondition::VersionIn(vec![version.0]));
        command.request.command(&terms.identity, version)
    });
    let (keys, commands) = commands.unzip();
    let work = match body.mode {
        BatchMode::Atomic => Work::Together(commands),
        BatchMode::Independent => Work::Each(commands),
    };
    (terms, keys, work)
}
