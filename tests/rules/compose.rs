//! Composes a rule with a domain: `cargo run --example compose RULE.wasm OUT.wasm [DOMAIN.wasm]`.
//! `wac plug RULE.wasm --plug DOMAIN.wasm -o OUT.wasm` does the same. Without `DOMAIN.wasm` the
//! rule is composed with the domain that the server embeds.

#![allow(missing_docs, reason = "an example")]

use anyhow::Context;
use wac_graph::{CompositionGraph, EncodeOptions, plug, types::Package};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (rule, out, domain) = match &arguments[..] {
        [rule, out] => (rule, out, holdfast::component::EMBEDDED.to_vec()),
        [rule, out, domain] => (rule, out, read(domain)?),
        _ => anyhow::bail!("usage: compose RULE.wasm OUT.wasm [DOMAIN.wasm]"),
    };
    let mut graph = CompositionGraph::new();
    let rule = Package::from_bytes("rule", None, read(rule)?, graph.types_mut())?;
    let domain = Package::from_bytes("domain", None, domain, graph.types_mut())?;
    let (rule, domain) = (graph.register_package(rule)?, graph.register_package(domain)?);
    plug(&mut graph, vec![domain], rule)?;
    std::fs::write(out, graph.encode(EncodeOptions::default())?).context("writing the component")
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("reading {file}"))
}
