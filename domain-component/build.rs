//! Gives the component a stack of 64 KiB in place of the linker's 1 MiB. The component needs a few
//! KiB, and the host clears every byte of its memory between two instances.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
    }
}
