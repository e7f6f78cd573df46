//! The WebAssembly engine and its clock for deadlines.

use super::limits::{Limits, TICK_MS};
use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// This much of a finished instance's memory is set to zero and kept. The embedded component
/// touches less than this, so the next instance causes no page faults.
const RESIDENT_BYTES: usize = 256 * 1024;

/// The most core instances and memories of one component. Each rule that is composed with a domain
/// is a core module of its own with a memory, and adapters are added between them.
const CORE_INSTANCES_MAX: u32 = 64;
const MEMORIES_MAX: u32 = 4;

/// The most elements of a table. An interpreter in a component has a table with thousands of its
/// functions.
const TABLE_ELEMENTS_MAX: usize = 65_536;

/// The most bytes of the runtime's own data about one instance.
const INSTANCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The engine that compiles and runs components, and the clock for their deadlines. There is one
/// for each process.
pub struct Runtime {
    engine: Engine,
    limits: Limits,
    stop: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Runtime {
    /// Creates the engine with these limits, and starts the thread of the clock.
    ///
    /// # Errors
    /// The operating system refuses the address space for the instances, or the thread.
    pub fn new(limits: Limits) -> anyhow::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(limits.instances_max)
            .total_core_instances(limits.instances_max.saturating_mul(CORE_INSTANCES_MAX))
            .max_core_instances_per_component(CORE_INSTANCES_MAX)
            .total_memories(limits.instances_max.saturating_mul(MEMORIES_MAX))
            .max_memories_per_component(MEMORIES_MAX)
            .total_tables(limits.instances_max.saturating_mul(CORE_INSTANCES_MAX))
            .max_tables_per_component(CORE_INSTANCES_MAX)
            .table_elements(TABLE_ELEMENTS_MAX)
            .max_component_instance_size(INSTANCE_BYTES_MAX)
            .max_core_instance_size(INSTANCE_BYTES_MAX)
            .max_memory_size(limits.memory_bytes_max)
            .max_unused_warm_slots(limits.instances_max)
            .linear_memory_keep_resident(RESIDENT_BYTES)
            .table_keep_resident(RESIDENT_BYTES);
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .consume_fuel(true)
            .epoch_interruption(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;

        let stop = Arc::new(AtomicBool::new(false));
        let ticker = std::thread::Builder::new().name("deadlines".into()).spawn({
            let (engine, stop) = (engine.weak(), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(TICK_MS));
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { engine, limits, stop, ticker: Some(ticker) })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A hash of everything that compiled code depends on: the version of the runtime, its settings
    /// and the machine.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = std::hash::DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The limits of components.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // The thread returns nothing, and ends within a tick.
            let _ = ticker.join();
        }
    }
}
