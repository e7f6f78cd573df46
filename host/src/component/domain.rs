//! Components: compiling, and linking for one kind of world.

use super::{World, bindings, contract, limits::Limits, runtime::Runtime, state::GuestState, wasi};
use crate::model::Digest;
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

/// A compiled component that fits the contract, ready to be instantiated over one kind of world.
pub struct Domain<W: World> {
    pub(super) pre: bindings::DomainPre<GuestState<W>>,
    pub(super) limits: Limits,
    digest: Digest,
    uses_wasi: bool,
    pub(super) draws_randomness: bool,
}

impl<W: World> Clone for Domain<W> {
    fn clone(&self) -> Self {
        Self {
            pre: self.pre.clone(),
            limits: self.limits,
            digest: self.digest,
            uses_wasi: self.uses_wasi,
            draws_randomness: self.draws_randomness,
        }
    }
}

/// Why a file is not accepted as a domain component.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file is no component, or it does not compile.
    #[error("not a usable WebAssembly component: {0}")]
    NotAComponent(String),
    /// The component imports an interface that the host does not grant.
    #[error("it imports {0}, which is not granted: a domain gets no files, network or environment")]
    NotGranted(String),
    /// The component does not match the contract.
    #[error("it does not fit the contract holdfast:inventory: {0}")]
    Mismatch(String),
}

/// A compiled component that is not yet checked against the contract. It is compiled once and then
/// [fitted](Compiled::fit) to each kind of world.
#[derive(Clone)]
pub struct Compiled {
    component: Component,
    limits: Limits,
    digest: Digest,
}

impl Compiled {
    /// Compiles a component, which takes milliseconds for a small component and tens of seconds for
    /// a large one.
    ///
    /// # Errors
    /// [`Refused::NotAComponent`].
    pub fn new(runtime: &Runtime, bytes: &[u8]) -> Result<Self, Refused> {
        let component = Component::from_binary(runtime.engine(), bytes)
            .map_err(|error| Refused::NotAComponent(format!("{error:#}")))?;
        Ok(Self { component, limits: runtime.limits(), digest: Digest::of(bytes) })
    }

    /// Loads a component from the code that [`Compiled::code`] returned.
    pub(super) fn from_code(
        runtime: &Runtime,
        digest: Digest,
        code: &[u8],
    ) -> wasmtime::Result<Self> {
        // SAFETY: the library stores only code that this program compiled, and checks it by its
        // SHA-256; wasmtime checks its own header. An attacker who could forge both has write
        // access to the server's own files already.
        #[allow(unsafe_code, reason = "the only way to avoid compiling again")]
        let component = unsafe { Component::deserialize(runtime.engine(), code) }?;
        Ok(Self { component, limits: runtime.limits(), digest })
    }

    /// The compiled code, which only the same version of the runtime on the same kind of machine
    /// can load.
    pub(super) fn code(&self) -> wasmtime::Result<Vec<u8>> {
        self.component.serialize()
    }

    /// The digest of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The same component under other limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { component: self.component.clone(), limits, digest: self.digest }
    }

    /// Compares the component's types with those of a component that fits the contract.
    ///
    /// # Errors
    /// [`Refused::Mismatch`] names every difference.
    pub fn check_contract(&self, fitting: &Self) -> Result<(), Refused> {
        let engine = self.component.engine();
        let (own, expected) = (self.component.component_type(), fitting.component.component_type());
        let found = contract::differences(engine, &own, &expected);
        if found.is_empty() { Ok(()) } else { Err(Refused::Mismatch(found.join("; "))) }
    }

    /// The names of the interfaces that the component imports beyond the contract.
    #[must_use]
    pub fn foreign_imports(&self) -> Vec<String> {
        foreign_imports(self.component.engine(), &self.component)
    }

    /// Checks the component against the contract and links it for one kind of world.
    ///
    /// # Errors
    /// [`Refused::NotGranted`] or [`Refused::Mismatch`].
    pub fn fit<W: World>(&self) -> Result<Domain<W>, Refused> {
        let Self { component, limits, digest } = self;
        let engine = component.engine();
        let foreign = foreign_imports(engine, component);
        let pre = link(engine, &foreign)?
            .instantiate_pre(component)
            .and_then(bindings::DomainPre::new)
            .map_err(|error| Refused::Mismatch(format!("{error:#}")))?;
        let draws_randomness = foreign.iter().any(|name| name.starts_with("wasi:random/"));
        let uses_wasi = !foreign.is_empty();
        Ok(Domain { pre, limits: *limits, digest: *digest, uses_wasi, draws_randomness })
    }
}

impl<W: World> Domain<W> {
    /// Compiles a component for one kind of world.
    ///
    /// # Errors
    /// As [`Compiled::new`] and [`Compiled::fit`].
    pub fn compile(runtime: &Runtime, bytes: &[u8]) -> Result<Self, Refused> {
        Compiled::new(runtime, bytes)?.fit()
    }

    /// Whether the component imports anything beyond the contract.
    #[must_use]
    pub fn uses_wasi(&self) -> bool {
        self.uses_wasi
    }

    /// The digest of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Links the contract's imports, and of WASI only the interfaces that the component names.
fn link<W: World>(engine: &Engine, foreign: &[String]) -> Result<Linker<GuestState<W>>, Refused> {
    let mut linker = Linker::new(engine);
    let mismatch = |error: wasmtime::Error| Refused::Mismatch(format!("{error:#}"));
    bindings::Domain::add_to_linker::<_, HasSelf<GuestState<W>>>(&mut linker, |state| state)
        .map_err(mismatch)?;
    for name in foreign {
        if !wasi::link(&mut linker, name).map_err(mismatch)? {
            return Err(Refused::NotGranted(name.clone()));
        }
    }
    Ok(linker)
}

/// The names of the interfaces that a component imports beyond the contract.
fn foreign_imports(engine: &Engine, component: &Component) -> Vec<String> {
    let component_type = component.component_type();
    let names = component_type.imports(engine).map(|(name, _)| name);
    names.filter(|name| !name.starts_with("holdfast:inventory/")).map(str::to_owned).collect()
}
